/** What CDK calls a bootstrap that nobody named: its qualifier and its stack (CDK guide, "Customize bootstrapping"). */
export const DEFAULT_QUALIFIER = 'hnb659fds';
export const DEFAULT_TOOLKIT = 'CDKToolkit';
