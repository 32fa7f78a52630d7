import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { validationError } from '../../cfn/template/error.js';
import { storeOf } from './lookup.js';

const PAGE = 100;

export function listExports(input: Cfn.ListExportsInput, context: RequestContext): Cfn.ListExportsOutput {
  const all = storeOf(context).exports();
  const start = Number(input.NextToken ?? 0);
  return {
    Exports: all.slice(start, start + PAGE).map((record) => ({ ExportingStackId: record.stackId, Name: record.name, Value: record.value })),
    ...(all.length > start + PAGE ? { NextToken: String(start + PAGE) } : {}),
  };
}

export function listImports(input: Cfn.ListImportsInput, context: RequestContext): Cfn.ListImportsOutput {
  const store = storeOf(context);
  const users = store.importers(input.ExportName).flatMap((uuid) => store.stack(uuid)?.name ?? []);
  if (users.length === 0) throw validationError(`Export '${input.ExportName}' is not imported by any stack.`);
  return { Imports: users };
}
