import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOlder } from './versions.js';
import type { OperatedFleet } from '../fleet/fleet.js';
import type { Finding } from './checks.js';

/** The tools that the pipeline's builds install, against the assembly they will read. */
export function examineTools(fleet: OperatedFleet): Finding[] {
  if (fleet.assembly === undefined) return [];
  const manifest = JSON.parse(readFileSync(join(fleet.assembly, 'manifest.json'), 'utf8')) as { version?: string; minimumCliVersion?: string };
  return fleet.stacks
    .filter(({ kind, templateFile }) => kind === 'pipeline' && templateFile !== undefined && existsSync(templateFile))
    .flatMap(({ stackName, templateFile }) => {
      const pins = new Set([...readFileSync(templateFile!, 'utf8').matchAll(/npm install (?:-g|--global) (?:[^"\\&;]*\s)?aws-cdk(?:@([\w.^~-]+))?(?=[\s"\\&;])/g)].map((match) => match[1] ?? ''));
      return [...pins].flatMap((pin) => judge(pin, stackName, manifest.minimumCliVersion, manifest.version));
    });
}

/** Machines of builds as Service Quotas names them (CodeBuild API reference, ProjectEnvironment). */
const SIZES: Readonly<Record<string, string>> = { BUILD_GENERAL1_SMALL: 'Small', BUILD_GENERAL1_MEDIUM: 'Medium', BUILD_GENERAL1_LARGE: 'Large', BUILD_GENERAL1_XLARGE: 'XLarge', BUILD_GENERAL1_2XLARGE: '2XLarge' };

/** Quotas that the builds of the fleet's pipelines count against, by name; undefined where the fleet was read without their templates. */
export function buildQuotas(fleet: OperatedFleet): ReadonlySet<string> | undefined {
  const templates = fleet.stacks.flatMap(({ kind, templateFile }) => (kind === 'pipeline' && templateFile !== undefined && existsSync(templateFile) ? [readFileSync(templateFile, 'utf8')] : []));
  if (templates.length === 0) return undefined;
  const resources = templates.flatMap((text) => Object.values((JSON.parse(text) as { Resources?: Record<string, { Type: string; Properties?: { Environment?: { Type?: unknown; ComputeType?: unknown } } }> }).Resources ?? {}));
  const machines = resources.filter(({ Type }) => Type === 'AWS::CodeBuild::Project').map(({ Properties }) => `${Properties?.Environment?.Type === 'ARM_CONTAINER' ? 'ARM' : 'Linux'}/${SIZES[String(Properties?.Environment?.ComputeType)] ?? 'Small'}`);
  return new Set(machines.map((machine) => `Concurrently running builds for ${machine} environment`));
}

function judge(pin: string, place: string, minimum: string | undefined, schema: string | undefined): Finding[] {
  const base = { code: 'DOC023', place };
  if (pin === '' || pin === 'latest') return [{ ...base, severity: 'error', what: `a build installs aws-cdk${pin ? '@latest' : ' without a version'}`, why: 'the tag latest names a stray 3.0.0 that reads no assembly of today', fix: 'npm install -g aws-cdk@2 in the Synth step; cliVersion of the CodePipeline' }];
  if (minimum !== undefined && isOlder(pin, minimum)) return [{ ...base, severity: 'error', what: `a build installs aws-cdk@${pin}; the assembly needs ${minimum} (schema ${schema})`, why: 'an older CLI can’t read it: schema version mismatch', fix: `aws-cdk@${minimum} or later` }];
  return [];
}
