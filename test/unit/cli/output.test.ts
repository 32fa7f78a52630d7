import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { outputSchema } from '../../../src/cli/output-schema.js';

it('the schema that ships is the one of the commands', () => {
  expect(JSON.parse(readFileSync(new URL('../../../schema/output.json', import.meta.url), 'utf8'))).toEqual(outputSchema());
});
