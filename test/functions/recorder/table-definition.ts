import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** The keys and indexes of the session table. A test of the template checks that the template has the same ones. */
export const tableDefinition = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'sessionId', AttributeType: 'S' },
    { AttributeName: 'unsuccessfulIn', AttributeType: 'S' },
    { AttributeName: 'unsuccessfulAt', AttributeType: 'S' },
  ],
  KeySchema: [{ AttributeName: 'sessionId', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'unsuccessful-sessions',
      KeySchema: [
        { AttributeName: 'unsuccessfulIn', KeyType: 'HASH' },
        { AttributeName: 'unsuccessfulAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
} satisfies Omit<CreateTableCommandInput, 'TableName'>;
