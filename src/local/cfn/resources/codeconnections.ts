import type { ResourceProvider } from './provider.js';
import { ignoring } from './failure.js';
import { tagChanges } from './tags.js';

interface ConnectionProperties {
  readonly ConnectionName: string;
  readonly ProviderType?: string;
  readonly HostArn?: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

/** Connections under both names of the service. */
function connection(type: string, service: string): ResourceProvider<ConnectionProperties> {
  return {
    type,
    async create(properties, context) {
      const { ConnectionArn } = await context.client.call<{ ConnectionArn: string }>(service, 'CreateConnection', {
        ConnectionName: properties.ConnectionName, ProviderType: properties.ProviderType, HostArn: properties.HostArn, Tags: context.tags(properties.Tags),
      });
      const { Connection } = await context.client.call<{ Connection: { ConnectionStatus: string; OwnerAccountId: string } }>(service, 'GetConnection', { ConnectionArn });
      return { physicalId: ConnectionArn, attributes: { ConnectionArn, ConnectionStatus: Connection.ConnectionStatus, OwnerAccountId: Connection.OwnerAccountId } };
    },
    async update(arn, before, after, context) {
      const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(after.Tags));
      if (remove.length > 0) await context.client.call(service, 'UntagResource', { ResourceArn: arn, TagKeys: remove });
      if (add.length > 0) await context.client.call(service, 'TagResource', { ResourceArn: arn, Tags: add });
    },
    async delete(arn, _properties, context) {
      await ignoring(['ResourceNotFoundException'], context.client.call(service, 'DeleteConnection', { ConnectionArn: arn }));
    },
  };
}

export const codeconnections = [connection('AWS::CodeConnections::Connection', 'codeconnections'), connection('AWS::CodeStarConnections::Connection', 'codestar-connections')];
