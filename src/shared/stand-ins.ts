/** Programs that apps take for granted, and the package of the registry that stands in for each where a machine has none; Yarn's is its line 1, as CodeBuild's images have it. */
export const STAND_INS = { esbuild: 'esbuild@0', yarn: 'yarn@1' } as const;
