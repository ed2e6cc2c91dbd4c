// Package idl is the contract between the graph and the three services: one Thrift file each, the code that kitex
// generates from it in kitex_gen, and the error codes that both sides share in [minidouyin/idl/codes].
//
// Every read takes many ids and answers with a map, so that a page costs one call per service. Nothing here knows
// the old REST contract: no action_type, no status fields.
package idl

//go:generate go tool kitex -thrift naming_style=golint -thrift ignore_initialisms=false -module minidouyin/idl basics.thrift
//go:generate go tool kitex -thrift naming_style=golint -thrift ignore_initialisms=false -module minidouyin/idl interaction.thrift
//go:generate go tool kitex -thrift naming_style=golint -thrift ignore_initialisms=false -module minidouyin/idl social.thrift
