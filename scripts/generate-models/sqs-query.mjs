// Since 2023 botocore's SQS model describes JSON only. Older clients (aws CLI 2.9 and the like) still speak the query protocol, whose names
// are those of the SQS API reference's query examples and of query error codes. `queryName` is used by the query protocol alone.

export function sqsQueryNames(model) {
  const { shapes } = model;
  model.metadata.protocols = ['json', 'query'];
  model.metadata.xmlNamespace = 'http://queue.amazonaws.com/doc/2012-11-05/';
  for (const [shape, members] of Object.entries(MEMBERS)) {
    for (const [member, queryName] of Object.entries(members)) shapes[shape].members[member].queryName = queryName;
  }
  for (const shape of Object.values(shapes)) {
    if (shape.type !== 'map') continue;
    const names = shape === shapes.TagMap ? ['Key', 'Value'] : ['Name', 'Value'];
    shape.key.queryName = names[0];
    shape.value.queryName = names[1];
  }
  for (const operation of Object.values(model.operations)) if (operation.output) operation.output.resultWrapper = `${operation.name}Result`;
  for (const [shape, [code, httpStatusCode]] of Object.entries(ERRORS)) if (shapes[shape]) shapes[shape].error = { code, httpStatusCode, senderFault: true };
}

const MEMBERS = {
  AddPermissionRequest: { AWSAccountIds: 'AWSAccountId', Actions: 'ActionName' },
  ChangeMessageVisibilityBatchRequest: { Entries: 'ChangeMessageVisibilityBatchRequestEntry' },
  ChangeMessageVisibilityBatchResult: { Successful: 'ChangeMessageVisibilityBatchResultEntry', Failed: 'BatchResultErrorEntry' },
  CreateQueueRequest: { Attributes: 'Attribute', tags: 'Tag' },
  DeleteMessageBatchRequest: { Entries: 'DeleteMessageBatchRequestEntry' },
  DeleteMessageBatchResult: { Successful: 'DeleteMessageBatchResultEntry', Failed: 'BatchResultErrorEntry' },
  GetQueueAttributesRequest: { AttributeNames: 'AttributeName' },
  GetQueueAttributesResult: { Attributes: 'Attribute' },
  ListDeadLetterSourceQueuesResult: { queueUrls: 'QueueUrl' },
  ListQueuesResult: { QueueUrls: 'QueueUrl' },
  ListQueueTagsResult: { Tags: 'Tag' },
  Message: { Attributes: 'Attribute', MessageAttributes: 'MessageAttribute' },
  MessageAttributeValue: { StringListValues: 'StringListValue', BinaryListValues: 'BinaryListValue' },
  MessageSystemAttributeValue: { StringListValues: 'StringListValue', BinaryListValues: 'BinaryListValue' },
  ReceiveMessageRequest: { AttributeNames: 'AttributeName', MessageSystemAttributeNames: 'MessageSystemAttributeName', MessageAttributeNames: 'MessageAttributeName' },
  ReceiveMessageResult: { Messages: 'Message' },
  SendMessageRequest: { MessageAttributes: 'MessageAttribute', MessageSystemAttributes: 'MessageSystemAttribute' },
  SendMessageBatchRequest: { Entries: 'SendMessageBatchRequestEntry' },
  SendMessageBatchRequestEntry: { MessageAttributes: 'MessageAttribute', MessageSystemAttributes: 'MessageSystemAttribute' },
  SendMessageBatchResult: { Successful: 'SendMessageBatchResultEntry', Failed: 'BatchResultErrorEntry' },
  SetQueueAttributesRequest: { Attributes: 'Attribute' },
  TagQueueRequest: { Tags: 'Tag' },
  UntagQueueRequest: { TagKeys: 'TagKey' },
};

const prefixed = (name, status = 400) => [`AWS.SimpleQueueService.${name}`, status];

/** Shape to query error code and status (SQS API reference, "Errors" of each action). */
const ERRORS = {
  BatchEntryIdsNotDistinct: prefixed('BatchEntryIdsNotDistinct'),
  BatchRequestTooLong: prefixed('BatchRequestTooLong'),
  EmptyBatchRequest: prefixed('EmptyBatchRequest'),
  InvalidBatchEntryId: prefixed('InvalidBatchEntryId'),
  MessageNotInflight: prefixed('MessageNotInflight'),
  PurgeQueueInProgress: prefixed('PurgeQueueInProgress', 403),
  QueueDeletedRecently: prefixed('QueueDeletedRecently'),
  QueueDoesNotExist: prefixed('NonExistentQueue'),
  TooManyEntriesInBatchRequest: prefixed('TooManyEntriesInBatchRequest'),
  UnsupportedOperation: prefixed('UnsupportedOperation'),
  QueueNameExists: ['QueueAlreadyExists', 400],
  OverLimit: ['OverLimit', 403],
  KmsAccessDenied: ['KMS.AccessDeniedException', 400],
  KmsDisabled: ['KMS.DisabledException', 400],
  KmsInvalidKeyUsage: ['KMS.InvalidKeyUsageException', 400],
  KmsInvalidState: ['KMS.InvalidStateException', 400],
  KmsNotFound: ['KMS.NotFoundException', 400],
  KmsOptInRequired: ['KMS.OptInRequired', 403],
  KmsThrottled: ['KMS.ThrottlingException', 400],
};
