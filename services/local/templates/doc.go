// Package templates holds the CloudFormation templates of deploy/ to the programs that they
// deploy, to AWS's limits, and to what must be true of every one of them. It has tests only:
// each is a [check], and each check is itself tried on templates from which what it guards
// has been taken away.
package templates
