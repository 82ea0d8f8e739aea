package templates_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"spillway.example/services/local/setup"
)

// stateful is what holds people's data.
func stateful() []check {
	return []check{
		{
			"the table is the one that the code makes", table,
			[]mutation{
				{"data.yaml", "KeySchema: [{AttributeName: pk, KeyType: HASH}]", "KeySchema: [{AttributeName: id, KeyType: HASH}]"},
				{"data.yaml", "TimeToLiveSpecification: {AttributeName: expires_at", "TimeToLiveSpecification: {AttributeName: expires"},
				{"data.yaml", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"},
				{"data.yaml", "BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED"},
			},
		},
		{
			"the user pool and its client are those that the code makes", pool,
			[]mutation{
				{"identity.yaml", "RequireSymbols: false", "RequireSymbols: true"},
				{"identity.yaml", "AutoVerifiedAttributes: [email]", "UsernameAttributes: [email]"},
				{"identity.yaml", "PreventUserExistenceErrors: ENABLED", "PreventUserExistenceErrors: LEGACY"},
				{"identity.yaml", "RetryGracePeriodSeconds: 10", "RetryGracePeriodSeconds: 0"},
				{"identity.yaml", "[ALLOW_USER_PASSWORD_AUTH]", "[ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]"},
				{"identity.yaml", "    Default: 60\n", "    Default: 90\n"},
				{"identity.yaml", "      GenerateSecret: true\n", ""},
			},
		},
		{
			"what cannot be made again outlives its stack", retained,
			[]mutation{
				{"data.yaml", "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName", "    Properties:\n      TableName"},
				{"identity.yaml", "    UpdateReplacePolicy: Retain\n", ""},
				{"stacks.yaml", "template: identity.yaml, protected: true", "template: identity.yaml"},
				{"data.yaml", `    Default: "true"`, `    Default: "false"`},
				{"data.yaml", "KMSMasterKeyId: !GetAtt Key.Arn", "KMSMasterKeyId: other"},
			},
		},
	}
}

// asked is what the code asks AWS for when it makes table, pool and client, by operation.
var asked = sync.OnceValues(func() (map[string]map[string]any, error) {
	const attributes = `"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]`
	answers := map[string]string{
		"DescribeTable":          `{"Table":{"TableStatus":"ACTIVE",` + attributes + `}}`,
		"CreateUserPool":         `{"UserPool":{"Id":"eu-west-1_AbCdEfGhI"}}`,
		"CreateUserPoolClient":   `{"UserPoolClient":{"ClientId":"client"}}`,
		"DescribeUserPoolClient": `{"UserPoolClient":{"ClientId":"client","ClientSecret":"s","ExplicitAuthFlows":["ALLOW_USER_PASSWORD_AUTH"]}}`,
	}
	var mu sync.Mutex
	got := map[string]map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		mu.Lock()
		got[op] = body
		mu.Unlock()
		answer := answers[op]
		if answer == "" {
			answer = "{}"
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	_, err := setup.Run(context.Background(), setup.Config{
		AWS:   aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.AnonymousCredentials{}},
		Table: "users", Pool: "pool", Client: "client",
	})
	return got, err
})

// as gives a value of JSON as the templates have it: every scalar a string.
func as(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, item := range v {
			m[k] = as(item)
		}
		return m
	case []any:
		l := []any{}
		for _, item := range v {
			l = append(l, as(item))
		}
		return l
	}
	return fmt.Sprint(v)
}

// same compares members of what the code asked for with the properties of a resource.
func same(where string, request map[string]any, properties map[string]any, apart []string, bad bad) {
	if len(request) == 0 {
		bad("%s: the code never asked for it", where)
	}
	for _, name := range sorted(request) {
		if !slices.Contains(apart, name) && !reflect.DeepEqual(as(request[name]), properties[name]) {
			bad("%s: %s is %v, and the code makes it %v", where, name, properties[name], as(request[name]))
		}
	}
}

func table(d *deployment, bad bad) {
	got, err := asked()
	if err != nil {
		bad("%v", err)
		return
	}
	for _, l := range d.render(options()) {
		if l.Name != "data" {
			continue
		}
		p := l.only("AWS::DynamoDB::Table")
		same("data.yaml", got["CreateTable"], p, []string{"TableName"}, bad)
		ttl, _ := got["UpdateTimeToLive"]["TimeToLiveSpecification"].(map[string]any)
		same("data.yaml: TimeToLiveSpecification", ttl, get(p, "TimeToLiveSpecification").(map[string]any), nil, bad)
		recovery, _ := got["UpdateContinuousBackups"]["PointInTimeRecoverySpecification"].(map[string]any)
		same("data.yaml: PointInTimeRecoverySpecification", recovery, get(p, "PointInTimeRecoverySpecification").(map[string]any), nil, bad)
	}
}

func pool(d *deployment, bad bad) {
	got, err := asked()
	if err != nil {
		bad("%v", err)
		return
	}
	for _, l := range d.render(options()) {
		if l.Name != "identity" {
			continue
		}
		p := l.only("AWS::Cognito::UserPool")
		same("identity.yaml: Pool", got["CreateUserPool"], p, []string{"PoolName"}, bad)
		same("identity.yaml: Client", got["CreateUserPoolClient"], l.only("AWS::Cognito::UserPoolClient"), []string{"ClientName", "UserPoolId"}, bad)
		for _, name := range []string{"UsernameAttributes", "AliasAttributes"} {
			if p[name] != nil {
				bad("identity.yaml: %s: names would not be what they seem", name)
			}
		}
	}
}

// irreplaceable are types whose resources hold what nothing else has.
var irreplaceable = []string{
	"AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::SecretsManager::Secret",
}

func retained(d *deployment, bad bad) {
	for _, l := range d.render(options()) {
		for _, id := range sorted(l.resources) {
			r := l.resources[id]
			if !slices.Contains(irreplaceable, r.Type) {
				continue
			}
			if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
				bad("%s: %s would be deleted with its stack, or when it is replaced", l.template.file, id)
			}
			if !l.Protected {
				bad("stacks.yaml: %s has %s and is not protected", l.Name, id)
			}
			switch r.Type {
			case "AWS::DynamoDB::Table":
				if str(r.Properties, "DeletionProtectionEnabled") != "true" || str(r.Properties, "SSESpecification", "KMSMasterKeyId") != "{Key.Arn}" {
					bad("%s: %s may be deleted, or is not encrypted with our key", l.template.file, id)
				}
			case "AWS::Cognito::UserPool":
				if str(r.Properties, "DeletionProtection") != "ACTIVE" {
					bad("%s: %s may be deleted", l.template.file, id)
				}
			}
		}
	}
}
