import { FlotillaError } from '../../shared/errors.js';
import { profileChain, type AwsConfiguration } from './profiles.js';

/**
 * Refuses to act on AWS where the SDK would follow an endpoint of this machine: the environment's `AWS_ENDPOINT_URL…`, or `endpoint_url` of a
 * profile in use (SDKs and Tools Reference Guide, "Service-specific endpoints"). Raises WLD001.
 */
export function refuseLocalEndpoints(environment: NodeJS.ProcessEnv, configuration: AwsConfiguration, profiles: readonly string[]): void {
  for (const [name, value] of Object.entries(environment))
    if (/^AWS_ENDPOINT_URL(_|$)/.test(name) && value && isLocal(value))
      throw refusal(`${name}=${value}`, `unset ${name}   (or act on the local cloud: --local)`);
  for (const name of profiles)
    for (const profile of profileChain(configuration, name))
      for (const [setting, value] of Object.entries({ ...profile.settings, ...configuration.services.get(profile.settings['services'] ?? '') }))
        if (/(^|\.)endpoint_url$/.test(setting) && isLocal(value))
          throw refusal(`${setting} = ${value} in the profile '${profile.name}'`, 'choose a profile of AWS with --profile, or act on the local cloud: --local');
}

function refusal(where: string, fix: string): FlotillaError {
  return new FlotillaError('WLD001', 'this command would act on AWS, but its endpoint is on this machine', { where, why: 'without --local a command never follows a local endpoint: what it printed would be taken for AWS', fix, exitCode: 2 });
}

/** Loopback by name or number, and the names that local clouds are known to publish for it. */
export function isLocal(url: string): boolean {
  let host: string;
  try {
    host = new URL(url).hostname;
  } catch {
    return false;
  }
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\]|host\.docker\.internal|(.*\.)?localhost\.localstack\.cloud)$/i.test(host);
}
