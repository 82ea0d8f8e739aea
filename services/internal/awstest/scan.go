package awstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// ProfilesOf finds the profiles of a username by a scan of the table, which sees what
// no claim leads to.
func ProfilesOf(db *dynamodb.Client, table string) func(*testing.T, string) []account.Profile {
	return func(t *testing.T, username string) (found []account.Profile) {
		t.Helper()
		pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{
			TableName: aws.String(table), ConsistentRead: aws.Bool(true),
			FilterExpression:          aws.String("begins_with(pk, :user) AND username = :name"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":user": text("user#"), ":name": text(username)},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatalf("scanning: %v", err)
			}
			for _, i := range page.Items {
				var p struct {
					UserID        string `dynamodbav:"user_id"`
					Email         string `dynamodbav:"email"`
					EmailVerified bool   `dynamodbav:"email_verified"`
				}
				if err := attributevalue.UnmarshalMap(i, &p); err != nil {
					t.Fatalf("reading a profile: %v", err)
				}
				found = append(found, account.Profile{
					UserID: account.UserID(p.UserID), Username: username, Email: p.Email, EmailVerified: p.EmailVerified,
				})
			}
		}
		return found
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
