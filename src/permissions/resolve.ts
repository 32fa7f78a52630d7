/** A template as far as judging permissions needs it. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type?: string; readonly Default?: unknown }>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

export interface Surroundings {
  readonly account: string;
  readonly region: string;
  readonly stackName: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The resources of a template with every intrinsic evaluated that can be before a deployment. What only the deployment knows stays as
 * `${LogicalId}` or `${LogicalId.Attribute}`, which is the same text on both sides of a comparison.
 */
export function resolveTemplate(template: Template, surroundings: Surroundings): Readonly<Record<string, TemplateResource>> {
  const resolver = new Resolver(template, surroundings);
  const present = Object.entries(template.Resources ?? {}).filter(([, { Condition }]) => Condition === undefined || resolver.condition(Condition) !== false);
  return Object.fromEntries(present.map(([id, resource]) => [id, { ...resource, Properties: resolver.value(resource.Properties ?? {}) as Record<string, unknown> }]));
}

const REMOVED = Symbol('AWS::NoValue');

class Resolver {
  private readonly deciding = new Set<string>();

  constructor(
    private readonly template: Template,
    private readonly surroundings: Surroundings,
  ) {}

  /** True or false, or undefined where only a deployment knows. */
  condition(name: string): boolean | undefined {
    if (this.deciding.has(name)) return undefined;
    this.deciding.add(name);
    const outcome = this.decide(this.template.Conditions?.[name]);
    this.deciding.delete(name);
    return outcome;
  }

  value(given: unknown): unknown {
    if (Array.isArray(given)) return given.map((item) => this.value(item)).filter((item) => item !== REMOVED);
    if (typeof given !== 'object' || given === null) return given;
    const keys = Object.keys(given);
    const [key] = keys;
    if (keys.length === 1 && (key === 'Ref' || key === 'Condition' || key!.startsWith('Fn::'))) return this.intrinsic(key!, (given as Record<string, unknown>)[key!]);
    return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, this.value(item)]).filter(([, item]) => item !== REMOVED));
  }

  private intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.reference(String(argument));
      case 'Fn::GetAtt':
        return `\${${Array.isArray(argument) ? argument.map(String).join('.') : String(argument)}}`;
      case 'Fn::Sub':
        return this.substitute(argument);
      case 'Fn::Join': {
        const [separator, items] = this.value(argument) as [string, unknown];
        return Array.isArray(items) ? items.map(text).join(separator) : text(items);
      }
      case 'Fn::Select': {
        const [index, items] = this.value(argument) as [unknown, unknown];
        return Array.isArray(items) ? items[Number(index)] : `\${Select:${String(index)}:${text(items)}}`;
      }
      case 'Fn::Split': {
        const [separator, whole] = this.value(argument) as [string, unknown];
        return text(whole).split(separator);
      }
      case 'Fn::FindInMap': {
        const [map, first, second] = (this.value(argument) as unknown[]).map(text);
        return this.template.Mappings?.[map!]?.[first!]?.[second!] ?? `\${FindInMap:${map}.${first}.${second}}`;
      }
      case 'Fn::If': {
        const [condition, yes, no] = argument as [string, unknown, unknown];
        const decided = this.condition(condition);
        // Both sides are looked at where the condition is open: the judgement must hold for either.
        return decided === undefined ? this.both(yes, no) : this.value(decided ? yes : no);
      }
      case 'Fn::ImportValue':
        return `\${ImportValue:${text(this.value(argument))}}`;
      default:
        return `\${${name}:${JSON.stringify(argument)}}`;
    }
  }

  private both(yes: unknown, no: unknown): unknown {
    const [a, b] = [this.value(yes), this.value(no)];
    if (a === REMOVED) return b;
    if (b === REMOVED) return a;
    return Array.isArray(a) || Array.isArray(b) ? [a, b].flat() : [a, b];
  }

  private reference(name: string): unknown {
    const { account, region, stackName, parameters } = this.surroundings;
    const pseudo: Readonly<Record<string, unknown>> = { 'AWS::AccountId': account, 'AWS::Region': region, 'AWS::Partition': 'aws', 'AWS::URLSuffix': 'amazonaws.com', 'AWS::StackName': stackName, 'AWS::NoValue': REMOVED, 'AWS::StackId': '${AWS::StackId}', 'AWS::NotificationARNs': [] };
    if (name in pseudo) return pseudo[name];
    const parameter = this.template.Parameters?.[name];
    if (!parameter) return `\${${name}}`;
    const given = parameters[name] ?? parameter.Default;
    // The value of an SSM parameter is known to the deployment alone; its name is what both sides show.
    if (given === undefined || parameter.Type?.startsWith('AWS::SSM')) return `\${${name}:${text(given ?? '')}}`;
    return /^(CommaDelimitedList|List<)/.test(parameter.Type ?? '') ? text(given).split(',').map((item) => item.trim()) : given;
  }

  private substitute(argument: unknown): string {
    const [pattern, names] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
    return pattern.replaceAll(/\$\{(!?)([^}]+)\}/g, (whole, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in names) return text(this.value(names[name]));
      return name.includes('.') ? whole : text(this.reference(name));
    });
  }

  private decide(expression: unknown): boolean | undefined {
    if (typeof expression === 'boolean') return expression;
    if (typeof expression !== 'object' || expression === null) return undefined;
    const [name, argument] = Object.entries(expression)[0] ?? [];
    if (name === 'Condition') return this.condition(String(argument));
    if (name === 'Fn::Equals') {
      const [a, b] = this.value(argument) as [unknown, unknown];
      const [left, right] = [text(a), text(b)];
      return left === right ? true : /\$\{/.test(left + right) ? undefined : false;
    }
    const parts = Array.isArray(argument) ? argument.map((part) => this.decide(part)) : [];
    if (name === 'Fn::Not') return parts[0] === undefined ? undefined : !parts[0];
    if (name === 'Fn::And') return parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
    if (name === 'Fn::Or') return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
