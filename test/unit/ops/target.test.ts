import { GetPipelineCommand, CodePipelineClient } from '@aws-sdk/client-codepipeline';
import { afterEach, expect, it } from 'vitest';
import { clientOf, placeOfError } from '../../../src/ops/target.js';
import { startStub, type Stub } from './stub.js';

let stub: Stub;
afterEach(() => stub.stop());

it('what AWS answers badly is known by the account and region that were asked', async () => {
  stub = await startStub({ GetPipeline: () => ({ __type: 'AccessDeniedException', message: 'no' }) });
  const refusal = async (account: string, region: string): Promise<unknown> => (await clientOf(stub.target, CodePipelineClient, account, region)).send(new GetPipelineCommand({ name: 'app' })).catch((error: unknown) => error);
  const [one, other] = await Promise.all([refusal('111111111111', 'eu-west-1'), refusal('222222222222', 'us-east-1')]);
  expect([placeOfError(one), placeOfError(other), placeOfError(new Error('mine'))]).toEqual([{ account: '111111111111', region: 'eu-west-1' }, { account: '222222222222', region: 'us-east-1' }, undefined]);
});
