export function treePrint(folder: string): Promise<string>;
