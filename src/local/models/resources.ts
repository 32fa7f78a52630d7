import { Pack } from './pack.js';

/**
 * CloudFormation resource schemas (source: cfn-lint's patched copies of AWS's registry schemas, see NOTICE.md). All types of all
 * regions, public and third-party `Alexa::ASK::Skill`; not SAM's `AWS::Serverless::*`, whose transform is refused.
 */
export function resourceSchema(type: string): ResourceSchema | undefined {
  let schema = cache.get(type);
  if (!schema && pack.has(type)) {
    schema = pack.read(type);
    cache.set(type, schema!);
  }
  return schema;
}

/** Names of all known resource types, sorted. Costs no schema to be read. */
export function resourceTypes(): string[] {
  return pack.names();
}

/** Whether a type exists, without reading its schema. */
export function hasResourceType(type: string): boolean {
  return pack.has(type);
}

const pack = new Pack<ResourceSchema>(new URL('./data/resources.pack', import.meta.url));
const cache = new Map<string, ResourceSchema>();

/** `/properties/A/B`; `*` stands for the items of a list. */
export type PropertyPointer = string;

/** A resource type as CloudFormation's registry describes it ("resource type schema", CloudFormation CLI user guide). */
export interface ResourceSchema extends PropertySchema {
  readonly typeName: string;
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly definitions?: Readonly<Record<string, PropertySchema>>;
  readonly additionalProperties?: boolean;
  readonly readOnlyProperties?: readonly PropertyPointer[];
  readonly writeOnlyProperties?: readonly PropertyPointer[];
  /** Changing one of these replaces the resource. */
  readonly createOnlyProperties?: readonly PropertyPointer[];
  /** Changing one of these may replace the resource. */
  readonly conditionalCreateOnlyProperties?: readonly PropertyPointer[];
  readonly deprecatedProperties?: readonly PropertyPointer[];
  /** What `Ref` answers, joined by `|`. A handful of legacy types have none. */
  readonly primaryIdentifier?: readonly PropertyPointer[];
  readonly additionalIdentifiers?: readonly (readonly PropertyPointer[])[];
  readonly taggable?: boolean;
  readonly tagging?: {
    readonly taggable: boolean;
    readonly tagOnCreate?: boolean;
    readonly tagUpdatable?: boolean;
    readonly cloudFormationSystemTags?: boolean;
    readonly tagProperty?: PropertyPointer;
    readonly permissions?: readonly string[];
  };
  /** IAM actions each handler needs, and how long it may take. Absent for types that aren't in the registry proper. */
  readonly handlers?: Readonly<Partial<Record<HandlerName, { readonly permissions: readonly string[]; readonly timeoutInMinutes?: number }>>>;
  readonly replacementStrategy?: 'create_then_delete' | 'delete_then_create';
  /** JSONata by pointer: how the service changes a value before it answers it (used when looking for drift). */
  readonly propertyTransform?: Readonly<Record<PropertyPointer, string>>;
  /** What `Fn::GetAtt` may name: dotted names; `Outputs.*` (nested stacks) and `*` (custom resources) stand for any. */
  readonly attributes: readonly string[];
}

export type HandlerName = 'create' | 'read' | 'update' | 'delete' | 'list';
export type PropertyType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';

/** The part of JSON Schema (draft 7 and cfn-lint's few keywords) that resource schemas use. `$ref` is always `#/definitions/…` or `#/properties/…`. */
export interface PropertySchema {
  readonly type?: PropertyType | readonly PropertyType[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, PropertySchema>>;
  readonly patternProperties?: Readonly<Record<string, PropertySchema>>;
  readonly additionalProperties?: boolean | PropertySchema;
  readonly required?: readonly string[];
  readonly items?: PropertySchema;
  readonly prefixItems?: readonly PropertySchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxUniqueItems?: number;
  readonly uniqueKeys?: readonly string[];
  /** `false`: the order of the list says nothing. Default true. */
  readonly insertionOrder?: boolean;
  readonly arrayType?: 'Standard' | 'AttributeList';
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly enumCaseInsensitive?: readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly oneOf?: readonly PropertySchema[];
  readonly anyOf?: readonly PropertySchema[];
  readonly allOf?: readonly PropertySchema[];
  readonly not?: PropertySchema;
  readonly if?: PropertySchema;
  readonly then?: PropertySchema;
  readonly else?: PropertySchema;
  /** Exactly one of these properties must be given. */
  readonly requiredXor?: readonly string[];
  /** At least one of these properties must be given. */
  readonly requiredOr?: readonly string[];
  /** With this property, those must be given too. */
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
  /** With this property, those must not be given. */
  readonly dependentExcluded?: Readonly<Record<string, readonly string[]>>;
  readonly dependencies?: Readonly<Record<string, readonly string[] | PropertySchema>>;
  readonly relationshipRef?: { readonly typeName: string; readonly propertyPath: string };
}
