import { readFileSync } from 'node:fs';
import { archive } from '../../process/zip.js';

export interface Code {
  readonly ZipFile?: string;
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  readonly S3ObjectVersion?: string;
  readonly ImageUri?: string;
  readonly SourceKMSKeyArn?: string;
}

/**
 * Code as the API takes it: text of the template becomes `index.js` or `index.py` in a zip, with the module for answers to CloudFormation
 * beside it (template reference, AWS::Lambda::Function Code, "ZipFile").
 */
export async function codeOf(code: Code, runtime = ''): Promise<Record<string, unknown>> {
  if (code.ZipFile === undefined) return { ...code };
  const python = runtime.startsWith('python');
  const module = python ? 'cfnresponse.py' : 'cfn-response.js';
  const files = [
    { name: python ? 'index.py' : 'index.js', data: Buffer.from(code.ZipFile) },
    ...(code.ZipFile.includes(python ? 'cfnresponse' : 'cfn-response') ? [{ name: module, data: readFileSync(new URL(`./data/${module}`, import.meta.url)) }] : []),
  ];
  return { ZipFile: await archive(files) };
}
