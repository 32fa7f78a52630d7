import type { ServiceModel } from '../models/model.js';
export function validateInput(model: ServiceModel, operationName: string, input: Record<string, unknown>): void {
  void [model, operationName, input];
}
