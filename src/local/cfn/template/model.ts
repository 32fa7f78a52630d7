import type { Json, JsonObject } from '../json.js';

/** A template after parsing, transforms and structural validation. */
export interface Template {
  /** The processed document: what GetTemplate answers for the stage `Processed`. */
  readonly document: JsonObject;
  readonly description: string | undefined;
  readonly metadata: Json | undefined;
  readonly parameters: Readonly<Record<string, ParameterDeclaration>>;
  readonly mappings: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly conditions: Readonly<Record<string, Json>>;
  readonly rules: Readonly<Record<string, RuleDeclaration>>;
  readonly resources: Readonly<Record<string, ResourceDeclaration>>;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
  /** Names of the transforms the document asked for, in order. */
  readonly transforms: readonly string[];
}

export interface ParameterDeclaration {
  readonly type: string;
  readonly default: string | undefined;
  readonly description: string | undefined;
  readonly noEcho: boolean;
  readonly allowedValues: readonly string[] | undefined;
  readonly allowedPattern: string | undefined;
  readonly constraintDescription: string | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
}

export interface RuleDeclaration {
  readonly condition: Json | undefined;
  readonly assertions: readonly { readonly assert: Json; readonly description: string | undefined }[];
}

export interface ResourceDeclaration {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly condition: string | undefined;
  readonly dependsOn: readonly string[];
  readonly metadata: Json | undefined;
  readonly deletionPolicy: Json | undefined;
  readonly updateReplacePolicy: Json | undefined;
  readonly creationPolicy: Json | undefined;
  readonly updatePolicy: Json | undefined;
}

export interface OutputDeclaration {
  readonly value: Json;
  readonly description: string | undefined;
  readonly condition: string | undefined;
  readonly exportName: Json | undefined;
}

export const PSEUDO_PARAMETERS = new Set([
  'AWS::AccountId', 'AWS::NotificationARNs', 'AWS::NoValue', 'AWS::Partition', 'AWS::Region', 'AWS::StackId', 'AWS::StackName', 'AWS::URLSuffix',
]);

/** Quotas of a template (user guide: "Understand CloudFormation quotas"). */
export const LIMITS = { bodyBytes: 51_200, urlBytes: 1_000_000, resources: 500, parameters: 200, outputs: 200, mappings: 200, mappingAttributes: 200 } as const;
