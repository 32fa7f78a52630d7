import { fileURLToPath } from 'node:url';

/** Folder for PYTHONPATH with which versions of botocore that don't know AWS_ENDPOINT_URL reach the local cloud. */
export function pythonFolder(): string {
  return fileURLToPath(new URL('./data/python', import.meta.url));
}
