/**
 * Running other people's code: the commands of a build, the handler of a function. `startProcess` starts one command in a process group of
 * its own, with an environment that leads nowhere near the user's credentials, behind the isolation that the machine offers, and hands its
 * output over as masked lines.
 *
 *     const isolation = await resolveIsolation('auto');          // say describeIsolation(isolation) to the user once
 *     const home = prepareHome(join(folder, 'home'));
 *     const running = startProcess({
 *       script: 'npm ci && npm test', shell: 'bash',
 *       cwd: workspace, workspace, home, isolation,
 *       env: { CI: 'true' },                                     // added to baseEnvironment(home)
 *       secrets: [token],                                        // *** in every line
 *       limits: { timeoutMs: 60_000 },
 *       onOutput: (line) => log(line),
 *     });
 *     const { code } = await running.exit;                       // or running.stop(): SIGTERM, later SIGKILL, to the whole group
 */
export { startProcess, type Exit, type Limits, type ProcessOptions, type RunningProcess } from './start.js';
export { describeIsolation, resolveIsolation, type Isolation, type IsolationWish, type Mount } from './isolation.js';
export { baseEnvironment, prepareHome } from './environment.js';
export { pythonFolder } from './python.js';
export { maskSecrets, type Masker } from './mask.js';
