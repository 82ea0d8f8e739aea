package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// TTLAttribute is the attribute that DynamoDB's time to live goes by, in seconds since
// 1970.
const TTLAttribute = "expires_at"

// Ensure makes the table, or checks that the one that is there has our key. It is for
// development. It may be run again at any time.
func Ensure(ctx context.Context, db *dynamodb.Client, table string) error {
	name := aws.String(table)
	_, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(key), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(key), KeyType: types.KeyTypeHash}},
	})
	if _, there := errors.AsType[*types.ResourceInUseException](err); err != nil && !there {
		return fmt.Errorf("making the table %s: %w", table, err)
	}
	describe := &dynamodb.DescribeTableInput{TableName: name}
	if err := dynamodb.NewTableExistsWaiter(db).Wait(ctx, describe, 2*time.Minute); err != nil {
		return fmt.Errorf("waiting for the table %s: %w", table, err)
	}
	out, err := db.DescribeTable(ctx, describe)
	if err != nil {
		return fmt.Errorf("looking at the table %s: %w", table, err)
	}
	if schema := out.Table.KeySchema; len(schema) != 1 || aws.ToString(schema[0].AttributeName) != key {
		return fmt.Errorf("the table %s is there with another key than %q alone: use another name, or delete it", table, key)
	}
	if err := ensureTTL(ctx, db, name); err != nil {
		return fmt.Errorf("setting the time to live of the table %s: %w", table, err)
	}
	return nil
}

// ensureTTL sets the table's time to live. Where somebody else does so at the same time
// the update is refused, though nothing is wrong: what is set then is what counts.
func ensureTTL(ctx context.Context, db *dynamodb.Client, table *string) error {
	switch attribute, err := ttl(ctx, db, table); {
	case err != nil:
		return err
	case attribute == TTLAttribute:
		return nil
	case attribute != "":
		return fmt.Errorf("it goes by %q, not by %q", attribute, TTLAttribute)
	}
	_, refused := db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(TTLAttribute), Enabled: aws.Bool(true)},
	})
	if refused == nil {
		return nil
	}
	if attribute, err := ttl(ctx, db, table); err == nil && attribute == TTLAttribute {
		return nil
	}
	return refused
}

// ttl gives the attribute that the table's time to live goes by, empty where it has none.
func ttl(ctx context.Context, db *dynamodb.Client, table *string) (string, error) {
	out, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table})
	if err != nil {
		return "", err
	}
	switch d := out.TimeToLiveDescription; {
	case d == nil:
	case d.TimeToLiveStatus == types.TimeToLiveStatusEnabled, d.TimeToLiveStatus == types.TimeToLiveStatusEnabling:
		return aws.ToString(d.AttributeName), nil
	}
	return "", nil
}

// EnableRecovery turns on recovery to any point of the last 35 days. It gives false where
// the endpoint has no such thing, as DynamoDB Local.
func EnableRecovery(ctx context.Context, db *dynamodb.Client, table string) (bool, error) {
	_, err := db.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        &table,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}, untilBackups)
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "UnknownOperationException" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("turning on recovery of the table %s: %w", table, err)
	}
	return true, nil
}

// untilBackups waits, for some twenty seconds, until a table that was just made can have
// its backups set.
func untilBackups(o *dynamodb.Options) {
	notYet := (&types.ContinuousBackupsUnavailableException{}).ErrorCode()
	o.Retryer = retry.AddWithMaxAttempts(retry.AddWithErrorCodes(o.Retryer, notYet), 10)
}
