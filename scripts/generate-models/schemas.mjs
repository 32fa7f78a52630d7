// CloudFormation resource schemas: cfn-lint's patched copies of AWS's provider schemas, without their prose.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every resource type of every region; us-east-1's schema where it has one. SAM's pseudo-types are left out: their transform is refused. */
export function resourceSchemas(cfnlint) {
  const base = join(cfnlint, 'data', 'schemas');
  const pointers = new Map();
  const regions = readdirSync(join(base, 'providers')).filter((name) => name.endsWith('.json') && name !== 'sam.json');
  for (const name of regions.sort((a, b) => Number(b === 'us-east-1.json') - Number(a === 'us-east-1.json') || (a < b ? -1 : 1))) {
    for (const [type, hash] of Object.entries(readJson(join(base, 'providers', name)))) if (!pointers.has(type)) pointers.set(type, hash);
  }
  const attributesOf = attributeRules(readFileSync(join(cfnlint, 'schema', '_getatts.py'), 'utf8'));
  return [...pointers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, hash]) => {
      const schema = readJson(join(base, 'resources', `${hash}.json`));
      return { ...compact(schema), attributes: attributesOf(schema) };
    });
}

const PROSE = new Set(['description', '$comment', '$schema', 'title', 'examples', 'sourceUrl', 'documentationUrl', 'resourceLink', 'typeConfiguration', 'lifecycle']);
/** Keywords whose value maps names to schemas: the names are data, and may well be `description`. */
const NAMED = new Set(['properties', 'definitions', 'patternProperties']);
const VERBATIM = new Set(['enum', 'const', 'default', 'tagging', 'propertyTransform', 'required', 'dependentRequired', 'dependentExcluded', 'dependencies']);

function compact(schema) {
  if (Array.isArray(schema)) return schema.map(compact);
  if (typeof schema !== 'object' || schema === null) return schema;
  const result = {};
  for (const [key, value] of Object.entries(schema)) {
    if (PROSE.has(key)) continue;
    if (key === 'handlers') result[key] = mapValues(value, ({ permissions = [], timeoutInMinutes }) => ({ permissions, ...(timeoutInMinutes && { timeoutInMinutes }) }));
    else if (NAMED.has(key)) result[key] = mapValues(value, compact);
    else result[key] = VERBATIM.has(key) ? value : compact(value);
  }
  return result;
}

/**
 * What Fn::GetAtt may name. Mostly the read-only properties; cfn-lint's `_getatts.py` holds the types where CloudFormation differs
 * from the schema, as two Python literals that are read here as data.
 */
function attributeRules(python) {
  const literal = (name) => {
    const start = python.indexOf('= ', python.indexOf(`\n${name} = `)) + 2;
    const close = python[start] === '{' ? '\n}' : '\n]';
    const text = python.slice(start, python.indexOf(close, start) + close.length);
    return JSON.parse(text.replace(/#.*$/gm, '').replace(/,(\s*[\]}])/g, '$1'));
  };
  const everyProperty = new Set(literal('_all_property_types'));
  const exceptions = literal('_exceptions');
  return (schema) => {
    const type = schema.typeName;
    if (type === 'AWS::CloudFormation::Stack') return ['Outputs.*'];
    if (type === 'AWS::CloudFormation::CustomResource') return ['*'];
    const readOnly = (schema.readOnlyProperties ?? []).map(attributeName);
    if (type === 'AWS::ServiceCatalog::CloudFormationProvisionedProduct') return readOnly.map((name) => (name === 'Outputs' ? 'Outputs.*' : name));
    if (everyProperty.has(type)) return unique(Object.entries(schema.properties ?? {}).flatMap(([name, value]) => leaves(value, schema, name, 0)));
    return unique([...(exceptions[type] ?? []), ...readOnly]);
  };
}

function leaves(property, schema, path, depth) {
  if (depth > 8) return [];
  const types = [property.type ?? []].flat();
  if (types.includes('object')) return Object.entries(property.properties ?? {}).flatMap(([name, value]) => leaves(value, schema, `${path}.${name}`, depth + 1));
  if (types.includes('array')) return ['object', 'array'].includes(property.items?.type) ? [] : [path];
  if (property.$ref) {
    const target = property.$ref.replace(/^#\//, '').split('/').reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], schema);
    return target ? leaves(target, schema, path, depth + 1) : [];
  }
  return [path];
}

const attributeName = (pointer) => pointer.split('/').slice(2).join('.');
const unique = (list) => [...new Set(list)];
const mapValues = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value)]));
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
