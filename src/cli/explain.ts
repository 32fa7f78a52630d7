import type { Command } from 'commander';
import { CONFIG_CODES } from '../config/index.js';
import { KNOWN_ERRORS } from '../ops/explain/table.js';
import { CONSTRUCT_CODES } from '../shared/construct-codes.js';
import { FlotillaError } from '../shared/errors.js';
import { nearest } from '../shared/suggest.js';
import { terminal, type GlobalOptions } from './terminal.js';

/** What the letters of a code say. */
export const FAMILIES: Readonly<Record<string, string>> = {
  AWS: 'an answer of AWS’s that is known; its fix is printed with the place it was met at',
  BST: 'bootstrapping accounts and regions; nothing was changed in the pair that is named',
  BUG: 'a defect of Flotilla itself: please report it with the command that led there',
  CDK: 'the constructs of flotilla/cdk, at synthesis',
  CFG: 'the fleet file',
  CHG: 'comparing what would change with what stands',
  CLD: 'the local cloud as a process: starting, finding and steering it',
  CLI: 'the command line: a flag or an argument that can’t be taken',
  CRD: 'credentials: missing, refused, or of another account than the one meant',
  DOC: 'a finding of flotilla doctor, with the command that mends it',
  DPL: 'deploying the pipelines of an app',
  DST: 'taking a fleet away: what could not be deleted',
  EVP: 'an event pattern that EventBridge would refuse',
  EXE: 'executions of a pipeline: which is meant, and what can be done with it',
  GAT: 'approvals: which gate waits, and whether it still does',
  INI: 'flotilla init',
  OPS: 'operating a fleet: which one is meant, and synthesizing it',
  PRE: 'the look at every target at the end of Synth: what keeps a pipeline from one; the finding says the command that mends it',
  PRM: 'the permissions gate: what could not be compared, or an approval that did not start',
  PRC: 'running other people’s code: the isolation that was asked for',
  REH: 'rehearsing on accounts as they were recorded',
  RUN: 'flotilla run: the commit, the app and its pipeline',
  STP: 'the program of a generated pipeline’s own steps',
  WHR: 'flotilla where',
  WLD: 'which world a command acts on, AWS or the local cloud',
};

export function addExplainCommand(program: Command): void {
  program
    .command('explain [code]')
    .description('what an error code means, with an example of it put right; without a code, the list')
    .action((code: string | undefined, _options: unknown, command: Command) => {
      const out = terminal(command.optsWithGlobals<GlobalOptions>());
      const all = explanations();
      if (code === undefined) {
        out.data({ type: 'codes', codes: [...all.values()] });
        for (const one of all.values()) out.print(`${one.code}  ${one.title}`);
        return;
      }
      const found = all.get(code.toUpperCase());
      if (found === undefined) throw unknownCode(code, [...all.keys()]);
      out.data({ type: 'explanation', ...found });
      out.print(printExplanation(found, out.style));
    });
}

interface Explanation {
  readonly code: string;
  readonly title: string;
  readonly text: string;
  readonly wrong?: string;
  readonly right?: string;
}

function explanations(): ReadonlyMap<string, Explanation> {
  const own = Object.entries({ ...CONFIG_CODES, ...CONSTRUCT_CODES }).map(([code, { title, text, wrong, right }]): Explanation => ({ code, title, text, ...(wrong === undefined ? {} : { wrong }), ...(right === undefined ? {} : { right }) }));
  const aws = KNOWN_ERRORS.map(({ code, why, pattern }): Explanation => ({ code, title: why, text: `Recognised by: ${pattern.source}\nThe fix is printed with the error, for the account, region and stack it was met at.` }));
  return new Map([...own, ...aws].map((one) => [one.code, one]));
}

function printExplanation({ code, title, text, wrong, right }: Explanation, style: ReturnType<typeof terminal>['style']): string {
  const block = (label: string, yaml: string | undefined): string => (yaml === undefined ? '' : `\n\n${style('dim', label)}\n${yaml.replaceAll(/^/gm, '  ')}`);
  return `${style('bold', `${code}  ${title}`)}\n\n${text}${block('refused', wrong)}${block(wrong === undefined ? 'for example' : 'put right', right)}`;
}

function unknownCode(code: string, known: readonly string[]): FlotillaError {
  const family = FAMILIES[code.toUpperCase().slice(0, 3)];
  const meant = nearest(code, known);
  return new FlotillaError('CLI012', `nothing more is written about '${code}'`, {
    why: family === undefined ? 'no code of Flotilla’s begins so' : `${code.toUpperCase().slice(0, 3)} is about ${family}; what such an error has to say, it says where it is raised`,
    fix: meant === undefined ? 'flotilla explain lists the codes' : `did you mean ${meant}?`,
    exitCode: 6,
  });
}
