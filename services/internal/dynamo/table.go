package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TTLAttribute is the attribute that DynamoDB's time to live goes by, in seconds since
// 1970.
const TTLAttribute = "expires_at"

// Ensure makes the table, or checks that the one that is there has our key. It is for
// development: with an account, deploy/ makes it. It may be run again at any time.
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
	return ensureTTL(ctx, db, name)
}

func ensureTTL(ctx context.Context, db *dynamodb.Client, table *string) error {
	out, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table})
	if err != nil {
		return fmt.Errorf("looking at the table's time to live: %w", err)
	}
	if d := out.TimeToLiveDescription; d != nil &&
		(d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		if aws.ToString(d.AttributeName) == TTLAttribute {
			return nil
		}
		return fmt.Errorf("the table's time to live goes by %q, not by %q", aws.ToString(d.AttributeName), TTLAttribute)
	}
	_, err = db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(TTLAttribute), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("setting the table's time to live: %w", err)
	}
	return nil
}
