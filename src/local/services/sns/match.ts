import { BlockList, isIP } from 'node:net';

/** `*` stands for any text, `\*` for itself; linear in the text's length times the pattern's stars. */
export function wildcard(pattern: string, text: string): boolean {
  const parts = pieces(pattern);
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

export function wildcardProblem(pattern: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*\*\*/.test(pattern)) return `FilterPolicy: Consecutive wildcard characters at pos ${pattern.indexOf('**')}`;
  if (pieces(pattern).length > 4) return 'FilterPolicy: Wildcard pattern has too many wildcard characters';
  return undefined;
}

/** The texts between the stars. */
function pieces(pattern: string): string[] {
  const parts = [''];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '\\' && (pattern[i + 1] === '*' || pattern[i + 1] === '\\')) parts[parts.length - 1] += pattern[++i]!;
    else if (char === '*') parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

export function matchesAddress(cidr: string, address: string): boolean {
  const [network = '', bits = ''] = cidr.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(address) !== family) return false;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, Number(bits), name);
  return block.check(address, name);
}
