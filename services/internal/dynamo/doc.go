// Package dynamo keeps profiles and claims in one DynamoDB table.
//
// The table's only key is `pk`:
//
//	user#<user id>       a profile
//	name#<username>      the claim on a folded username
//	email#<address>      the owner of a proven address
//	count#<keyed hash>   a budget of attempts
//	record#<keyed hash>  a request that may come again, with its answer
//	records#<owner>#<day>  which of those are an owner's
//
// Whatever must be unique is a key, and every change that spans two items is one
// TransactWriteItems with conditions. The request token of a transaction is the
// SDK's own, new for each attempt; a person's retry is recognised by the items.
package dynamo
