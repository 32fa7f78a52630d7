import { AssetManifest, AssetPublishing, DefaultAwsClient, DestinationPattern, EventType, type IPublishProgressListener } from '@aws-cdk/cdk-assets-lib';
import { FlotillaError } from '../shared/errors.js';

/**
 * `cdk-assets` as CDK's generated builds call it (`--path MANIFEST --verbose publish [ASSET:DESTINATION…]`), on the library that the package of
 * that name is made of: it reads assemblies of schema 55, which cdk-assets 4.7.3 doesn't. It travels in the cloud assembly.
 */
async function publish(args: readonly string[]): Promise<void> {
  const path = args[args.indexOf('--path') + 1];
  const selected = args.slice(args.indexOf('publish') + 1).filter((arg) => !arg.startsWith('-'));
  if (!args.includes('--path') || path === undefined || !args.includes('publish')) throw new FlotillaError('STP002', 'no manifest is named, or no command', { fix: 'cdk-assets --path MANIFEST publish [ASSET:DESTINATION…]', exitCode: 2 });
  const manifest = AssetManifest.fromPath(path).select(selected.length === 0 ? undefined : selected.map((one) => DestinationPattern.parse(one)));
  const publishing = new AssetPublishing(manifest, { aws: new DefaultAwsClient(), progressListener: progress(args.includes('--verbose')), throwOnError: false });
  await publishing.publish();
  for (const { asset, error } of publishing.failures) process.stderr.write(`✖ ${String(asset.id)}: ${error.message}\n`);
  if (publishing.hasFailures) process.exitCode = 1;
}

function progress(verbose: boolean): IPublishProgressListener {
  return { onPublishEvent: (type, { percentComplete, message }) => { if (verbose || type !== EventType.DEBUG) process.stdout.write(`[${percentComplete} %] ${type}: ${message}\n`); } };
}

// The SDK's notice about coming versions of Node says nothing to who reads a build's log.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

publish(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`✖ ${error instanceof FlotillaError ? `${error.code} ${error.message}\n  fix  ${error.fix}` : error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
