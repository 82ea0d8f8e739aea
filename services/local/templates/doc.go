// Package templates works out the functions of CloudFormation templates, for `spillway deploy`
// and for its own tests.
//
// These hold the templates of deploy/ to the programs that they deploy, to AWS's limits, and
// to what must be true of every one of them: each is a check, and each check is itself tried
// on templates from which what it guards has been taken away. They ask the programs by
// services/internal, which is why the package is here.
package templates
