// SPDX-License-Identifier: GPL-2.0
#include "core/wire.hpp"

#include "core/numbers.hpp"
#include "support/endian.hpp"
#include "support/memory.hpp"

namespace ccm::wire {

namespace {

struct RawHeader {
	be16 magic;
	u8 version;
	u8 kind;
	be16 flags;
	be16 module;
	be16 source;
	be16 destination;
	be32 type;
	be32 seqn;
	be32 size;
	be32 offset;
	be32 length;
	be64 sequence;
	be64 acknowledged;
};

struct RawHello {
	char cluster[kClusterSize];
	be64 incarnation;
	u8 reserved[16];
	be32 features;
	be32 window;
	u8 nonce[kNonceSize];
};

struct RawLimit {
	be64 limit;
	be32 max_size;
	be32 reserved;
};

struct RawCall {
	be64 id;
	u8 how;
	u8 reserved[7];
};

struct RawAnswer {
	be64 id;
	be32 outcome;
	be32 result;
};

static_assert(sizeof(RawCall) == kCallSize);
static_assert(sizeof(RawAnswer) == kCallSize);
static_assert(sizeof(RawHeader) == kHeaderSize);
static_assert(sizeof(RawHello) == kHelloSize);
static_assert(sizeof(RawLimit) == kLimitSize);

bool is_fragment(const Header &h)
{
	if (!is_module(h.module) || h.sequence == 0)
		return false;
	if (h.size > CCM_SIZE_MAX || h.length > kPayloadMax)
		return false;
	// Each fragment carries something, but for that of an empty message.
	if (h.length == 0)
		return h.size == 0 && h.offset == 0;
	return h.offset < h.size && h.length <= h.size - h.offset;
}

u32 flags_of(Kind kind)
{
	return kind == Kind::Hello ? kPoke : 0;
}

bool fits_kind(const Header &h)
{
	switch (h.kind) {
	case Kind::Hello:
		return h.length == kHelloSize;
	case Kind::Limit:
		return h.length == kLimitSize && is_module(h.module);
	case Kind::Ready:
	case Kind::Goodbye:
	case Kind::Heartbeat:
	case Kind::Echo:
		return h.length == 0;
	case Kind::Proof:
		return h.length == kProofSize;
	case Kind::Message:
		return is_fragment(h);
	case Kind::Call:
	case Kind::Answer:
		return is_fragment(h) && h.size >= kCallSize;
	}
	return false;
}

} // namespace

void encode(const Header &header, u8 (&to)[kHeaderSize])
{
	RawHeader raw;

	raw.magic = kMagic;
	raw.version = kVersion;
	raw.kind = static_cast<u8>(header.kind);
	raw.flags = header.flags;
	raw.module = header.module;
	raw.source = header.source;
	raw.destination = header.destination;
	raw.type = header.type;
	raw.seqn = header.seqn;
	raw.size = header.size;
	raw.offset = header.offset;
	raw.length = header.length;
	raw.sequence = header.sequence;
	raw.acknowledged = header.acknowledged;
	copy(to, &raw, sizeof(raw));
}

Result<Header> decode(const u8 (&from)[kHeaderSize])
{
	RawHeader raw;

	copy(&raw, from, sizeof(raw));
	if (raw.magic != kMagic)
		return fail(EPROTO);
	if (raw.version != kVersion)
		return fail(EPROTONOSUPPORT);

	Header header{.kind = static_cast<Kind>(raw.kind),
		      .flags = raw.flags,
		      .module = raw.module,
		      .source = raw.source,
		      .destination = raw.destination,
		      .type = raw.type,
		      .seqn = raw.seqn,
		      .size = raw.size,
		      .offset = raw.offset,
		      .length = raw.length,
		      .sequence = raw.sequence,
		      .acknowledged = raw.acknowledged};
	if ((header.flags & ~flags_of(header.kind)) ||
	    !is_node(header.source) || !is_node(header.destination) ||
	    !fits_kind(header))
		return fail(EPROTO);
	return header;
}

void encode(const Hello &hello, u8 (&to)[kHelloSize])
{
	RawHello raw{};

	copy(raw.cluster, hello.cluster, kClusterSize);
	raw.incarnation = hello.incarnation;
	copy(raw.reserved, hello.reserved, sizeof(raw.reserved));
	raw.features = hello.features;
	raw.window = hello.window;
	copy(raw.nonce, hello.nonce, kNonceSize);
	copy(to, &raw, sizeof(raw));
}

Hello decode(const u8 (&from)[kHelloSize])
{
	RawHello raw;
	Hello hello;

	copy(&raw, from, sizeof(raw));
	copy(hello.cluster, raw.cluster, kClusterSize);
	hello.incarnation = raw.incarnation;
	copy(hello.reserved, raw.reserved, sizeof(hello.reserved));
	hello.features = raw.features;
	hello.window = raw.window;
	copy(hello.nonce, raw.nonce, kNonceSize);
	return hello;
}

void encode(const Limit &limit, u8 (&to)[kLimitSize])
{
	RawLimit raw;

	raw.limit = limit.limit;
	raw.max_size = limit.max_size;
	copy(to, &raw, sizeof(raw));
}

Limit decode(const u8 (&from)[kLimitSize])
{
	RawLimit raw;

	copy(&raw, from, sizeof(raw));
	return {.limit = raw.limit, .max_size = raw.max_size};
}

void encode(const Call &call, u8 *to)
{
	RawCall raw{};

	raw.id = call.id;
	raw.how = static_cast<u8>(call.how);
	copy(to, &raw, sizeof(raw));
}

Result<Call> decode_call(const u8 *from)
{
	RawCall raw;

	copy(&raw, from, sizeof(raw));
	if (raw.how > static_cast<u8>(Call::How::Long))
		return fail(EPROTO);
	return Call{.id = raw.id, .how = static_cast<Call::How>(raw.how)};
}

void encode(const Answer &answer, u8 *to)
{
	RawAnswer raw;

	raw.id = answer.id;
	raw.outcome = static_cast<u32>(answer.outcome);
	raw.result = answer.result;
	copy(to, &raw, sizeof(raw));
}

Result<Answer> decode_answer(const u8 *from)
{
	RawAnswer raw;

	copy(&raw, from, sizeof(raw));
	if (raw.outcome > static_cast<u32>(Answer::Outcome::TooLarge))
		return fail(EPROTO);
	return Answer{.id = raw.id,
		      .outcome = static_cast<Answer::Outcome>(
			      static_cast<u32>(raw.outcome)),
		      .result = raw.result};
}

} // namespace ccm::wire
