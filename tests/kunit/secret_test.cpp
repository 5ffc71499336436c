// SPDX-License-Identifier: GPL-2.0
// The proofs, byte by byte as in the worked example of Documentation/protocol.rst.
#include "core/secret.hpp"

#include "support/memory.hpp"
#include "test.hpp"

using namespace ccm;

namespace {

constexpr u8 kNonces[2][wire::kNonceSize] = {
	{0x5a, 0x7f, 0xa4, 0xc9, 0xee, 0x13, 0x38, 0x5d, 0x82, 0xa7, 0xcc,
	 0xf1, 0x16, 0x3b, 0x60, 0x85, 0xaa, 0xcf, 0xf4, 0x19, 0x3e, 0x63,
	 0x88, 0xad, 0xd2, 0xf7, 0x1c, 0x41, 0x66, 0x8b, 0xb0, 0xd5},
	{0xc0, 0xd1, 0xe2, 0xf3, 0x04, 0x15, 0x26, 0x37, 0x48, 0x59, 0x6a,
	 0x7b, 0x8c, 0x9d, 0xae, 0xbf, 0xd0, 0xe1, 0xf2, 0x03, 0x14, 0x25,
	 0x36, 0x47, 0x58, 0x69, 0x7a, 0x8b, 0x9c, 0xad, 0xbe, 0xcf}};

constexpr u8 kProofs[2][wire::kProofSize] = {
	{0xa3, 0x3b, 0x7e, 0x1c, 0xae, 0x43, 0xd7, 0x1d, 0x86, 0xa3, 0x28,
	 0xe3, 0xe3, 0x41, 0x4c, 0xdb, 0xd9, 0x10, 0x14, 0x4e, 0x77, 0x91,
	 0x1e, 0x71, 0xba, 0x1f, 0x20, 0x0c, 0xaf, 0x00, 0xcc, 0x9d},
	{0x13, 0x0b, 0xcd, 0x25, 0x29, 0x72, 0xbf, 0xe7, 0x26, 0x5f, 0xd8,
	 0x00, 0xfb, 0xb7, 0xba, 0x0f, 0xd6, 0x6c, 0xeb, 0x0e, 0xb2, 0xd7,
	 0xc5, 0xb8, 0x3a, 0x73, 0xd4, 0x6a, 0x9a, 0x34, 0x94, 0x6d}};

void compose(wire::HelloFrame &out, u16 source, u16 destination,
	     u64 incarnation, const u8 (&nonce)[wire::kNonceSize])
{
	wire::Hello hello{.cluster = "demo",
			  .incarnation = incarnation,
			  .features = wire::kKeyed,
			  .window = 16384};
	u8 head[wire::kHeaderSize], body[wire::kHelloSize];

	copy(hello.nonce, nonce, sizeof(nonce));
	wire::encode({.kind = wire::Kind::Hello,
		      .source = source,
		      .destination = destination,
		      .length = wire::kHelloSize},
		     head);
	wire::encode(hello, body);
	copy(out, head, sizeof(head));
	copy(out + sizeof(head), body, sizeof(body));
}

} // namespace

CCM_TEST(secret, sign__as_in_the_protocol)
{
	Greetings greetings;
	u8 key[32];

	for (u8 i = 0; i < sizeof(key); i++)
		key[i] = i;
	compose(greetings.initiator, 1, 2, 0x9d3c51e07ab6240f, kNonces[0]);
	compose(greetings.responder, 2, 1, 0x1f2e3d4c5b6a7988, kNonces[1]);
	auto made = Secret::make(key, sizeof(key));
	REQUIRE(made.ok());
	Ref<Secret> secret(made.value());
	const Role roles[] = {Role::Initiator, Role::Responder};
	for (Role role : roles) {
		const u8(&right)[wire::kProofSize] =
			kProofs[role == Role::Responder];
		u8 proof[wire::kProofSize];

		REQUIRE(secret->sign(role, greetings, proof).ok());
		EXPECT_EQ(0, __builtin_memcmp(right, proof, sizeof(proof)));
		EXPECT(secret->is_proof(right, role, greetings));
		EXPECT(!secret->is_proof(right,
					 role == Role::Initiator
						 ? Role::Responder
						 : Role::Initiator,
					 greetings));
	}
	EXPECT(secret->secure);
}

CCM_TEST(secret, insecure__is_a_secret_that_everybody_knows)
{
	Greetings greetings{};
	u8 proof[wire::kProofSize], known[wire::kProofSize];
	auto none = Secret::make(nullptr, 0);
	auto same = Secret::make("this cluster is insecure", 25);

	REQUIRE(none.ok() && same.ok());
	Ref<Secret> insecure(none.value()), secure(same.value());
	EXPECT(!insecure->secure);
	REQUIRE(insecure->sign(Role::Initiator, greetings, proof).ok());
	REQUIRE(secure->sign(Role::Initiator, greetings, known).ok());
	EXPECT_EQ(0, __builtin_memcmp(known, proof, sizeof(proof)));
}
