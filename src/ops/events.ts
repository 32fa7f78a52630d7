/** What a use case tells while it works; renderers turn it into text, live lines or JSON lines. */
export type OpsEvent =
  | { readonly type: 'step'; readonly name: string; readonly status: 'started' | 'succeeded' | 'failed' | 'skipped'; readonly detail?: string; readonly seconds?: number }
  | { readonly type: 'log'; readonly source: string; readonly line: string }
  | { readonly type: 'action'; readonly stage: string; readonly action: string; readonly status: string; readonly detail?: string; readonly seconds?: number; readonly done: number; readonly total: number }
  /** Resources of the stack that a running action deploys: `total` where a change set says it, `failed` since the last event. */
  | { readonly type: 'resources'; readonly stage: string; readonly action: string; readonly stack: string; readonly done: number; readonly total?: number; readonly current?: string; readonly failed: readonly string[] }
  | { readonly type: 'stage'; readonly stage: string; readonly status: string }
  | { readonly type: 'execution'; readonly id: string; readonly status: string; readonly detail?: string }
  | { readonly type: 'gate'; readonly pipeline: string; readonly stage: string; readonly action: string; readonly token: string; readonly message?: string }
  | { readonly type: 'commit'; readonly id: string; readonly summary: string }
  | ({ readonly type: 'pipeline'; readonly name: string } & PipelineShape)
  | { readonly type: 'note'; readonly text: string };

export interface PipelineShape {
  readonly stages: readonly { readonly name: string; readonly actions: readonly string[] }[];
  /** `STAGE/ACTION` of what runs at the same time, wave after wave, and the seconds it is expected to take where the last execution tells. */
  readonly waves: readonly (readonly { readonly name: string; readonly seconds?: number }[])[];
}

export type Emit = (event: OpsEvent) => void;

/** Does a piece of work and tells its start, its end and how long it took. */
export async function step<T>(emit: Emit, name: string, work: () => Promise<T>, detail?: (value: T) => string): Promise<T> {
  emit({ type: 'step', name, status: 'started' });
  const start = performance.now();
  try {
    const value = await work();
    emit({ type: 'step', name, status: 'succeeded', seconds: (performance.now() - start) / 1000, ...(detail ? { detail: detail(value) } : {}) });
    return value;
  } catch (error) {
    emit({ type: 'step', name, status: 'failed', seconds: (performance.now() - start) / 1000 });
    throw error;
  }
}
