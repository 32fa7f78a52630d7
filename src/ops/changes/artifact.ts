import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';
import { FlotillaError } from '../../shared/errors.js';

/** Templates are small; an assembly whose templates together are larger than this is none. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Files of a pipeline's artifact that a predicate takes, by path. */
export async function artifactFiles(client: S3Client, place: { readonly bucket: string; readonly key: string }, takes: (path: string) => boolean): Promise<Map<string, string>> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: place.bucket, Key: place.key }));
  const archive = Buffer.from(await Body!.transformToByteArray());
  const zip = await new Promise<ZipFile>((resolve, reject) => fromBuffer(archive, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened!))));
  const files = new Map<string, string>();
  let total = 0;
  await new Promise<void>((resolve, reject) => {
    zip.once('error', reject).once('end', resolve);
    zip.on('entry', (entry: Entry) => {
      if (!takes(entry.fileName)) return zip.readEntry();
      total += entry.uncompressedSize;
      if (total > MOST_BYTES) return void reject(new FlotillaError('CHG002', `the artifact ${place.bucket}/${place.key} is larger than an assembly's templates can be`));
      read(zip, entry).then((text) => {
        files.set(entry.fileName, text);
        zip.readEntry();
      }, reject);
    });
    zip.readEntry();
  });
  return files;
}

function read(zip: ZipFile, entry: Entry): Promise<string> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject).once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
  });
}
