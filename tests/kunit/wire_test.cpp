// SPDX-License-Identifier: GPL-2.0
#include "core/wire.hpp"

#include "support/memory.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm::wire;

namespace {

template <size_t Size>
void expect_bytes(ccm_test *test, const u8 (&expected)[Size],
		  const u8 (&actual)[Size])
{
	for (size_t i = 0; i < Size; i++)
		if (!ccm_testing::equal(test, __FILE__, static_cast<int>(i),
					"byte (as the line)", expected[i],
					actual[i]))
			return;
}

// Every field has bytes of its own.
constexpr Header kMessage{.kind = Kind::Message,
			  .module = 0x0102,
			  .source = 0x0103,
			  .destination = 0x0104,
			  .type = 0x11121314,
			  .seqn = 0x21222324,
			  .size = 0x02313233,
			  .offset = 0x01414243,
			  .length = 0x5152,
			  .sequence = 0x6162636465666768,
			  .acknowledged = 0x7172737475767778};
constexpr u8 kMessageBytes[kHeaderSize] = {
	0x43, 0x43, 0x01, 0x05,				// magic, version, kind
	0x00, 0x00, 0x01, 0x02,				// flags, module
	0x01, 0x03, 0x01, 0x04,				// source, destination
	0x11, 0x12, 0x13, 0x14,				// type
	0x21, 0x22, 0x23, 0x24,				// seqn
	0x02, 0x31, 0x32, 0x33,				// size
	0x01, 0x41, 0x42, 0x43,				// offset
	0x00, 0x00, 0x51, 0x52,				// length
	0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, // sequence
	0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, // acknowledged
};

constexpr u8 kHelloBytes[kHelloSize] = {
	'c',  'l',  'u',  's',	't',  'e',  'r',  0,	// cluster, 32 bytes
	0,    0,    0,	  0,	0,    0,    0,	  0,	//
	0,    0,    0,	  0,	0,    0,    0,	  0,	//
	0,    0,    0,	  0,	0,    0,    0,	  'x',	//
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, // incarnation
	0,    0,    0,	  0,	0,    0,    0,	  0,	// reserved, 16 bytes
	0,    0,    0,	  0,	0,    0,    0,	  0,	//
	0x41, 0x42, 0x43, 0x44,				// features
	0x51, 0x52, 0x53, 0x54,				// window
	0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, // nonce, 32 bytes
	0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, //
	0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, //
	0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, //
};

constexpr u8 kLimitBytes[kLimitSize] = {
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, // limit
	0x21, 0x22, 0x23, 0x24,				// max_size
	0x00, 0x00, 0x00, 0x00,				// reserved
};

Hello hello()
{
	Hello hello{};

	copy(hello.cluster, kHelloBytes, kClusterSize);
	hello.incarnation = 0x1112131415161718;
	hello.features = 0x41424344;
	hello.window = 0x51525354;
	for (size_t i = 0; i < kNonceSize; i++)
		hello.nonce[i] = static_cast<u8>(0x80 + i);
	return hello;
}

// What decode says of these bytes: 0, or an errno.
int judge(const u8 (&bytes)[kHeaderSize])
{
	return decode(bytes).error();
}

struct Case {
	const char *what;
	Header header;
	int error;
};

template <size_t Count>
void expect_judged(ccm_test *test, const Case (&cases)[Count])
{
	for (const Case &c : cases) {
		u8 bytes[kHeaderSize];

		encode(c.header, bytes);
		ccm_testing::equal(test, __FILE__, __LINE__, c.what, c.error,
				   judge(bytes));
	}
}

constexpr Header message(u32 size, u32 offset, u32 length)
{
	return {.kind = Kind::Message,
		.module = 1,
		.source = 1,
		.destination = 2,
		.size = size,
		.offset = offset,
		.length = length,
		.sequence = 1};
}

constexpr Header control(Kind kind, u32 length, u16 module = 0)
{
	return {.kind = kind,
		.module = module,
		.source = 1,
		.destination = 2,
		.length = length};
}

constexpr Header between(u16 source, u16 destination)
{
	return {.kind = Kind::Ready,
		.source = source,
		.destination = destination};
}

constexpr Header of_module(u16 module)
{
	Header header = message(1, 0, 1);

	header.module = module;
	return header;
}

constexpr Header numbered(u64 sequence)
{
	Header header = message(1, 0, 1);

	header.sequence = sequence;
	return header;
}

} // namespace

// --- bytes -------------------------------------------------------------------------

CCM_TEST(wire, encode__header_byte_by_byte)
{
	u8 bytes[kHeaderSize];

	encode(kMessage, bytes);
	expect_bytes(test, kMessageBytes, bytes);
}

CCM_TEST(wire, decode__header_byte_by_byte)
{
	auto decoded = decode(kMessageBytes);

	REQUIRE(decoded.ok());
	Header header = decoded.value();
	EXPECT(header.kind == Kind::Message);
	EXPECT_EQ(0x0102, header.module);
	EXPECT_EQ(0x0103, header.source);
	EXPECT_EQ(0x0104, header.destination);
	EXPECT_EQ(0x11121314, header.type);
	EXPECT_EQ(0x21222324, header.seqn);
	EXPECT_EQ(0x02313233, header.size);
	EXPECT_EQ(0x01414243, header.offset);
	EXPECT_EQ(0x5152, header.length);
	EXPECT_EQ(0x6162636465666768, header.sequence);
	EXPECT_EQ(0x7172737475767778, header.acknowledged);
}

CCM_TEST(wire, encode__kinds_have_their_numbers)
{
	static const struct {
		Kind kind;
		u8 number;
	} kKinds[] = {{Kind::Hello, 1},
		      {Kind::Limit, 2},
		      {Kind::Ready, 3},
		      {Kind::Goodbye, 4},
		      {Kind::Message, 5}};

	for (auto &k : kKinds) {
		u8 bytes[kHeaderSize];

		encode(Header{.kind = k.kind}, bytes);
		EXPECT_EQ(k.number, bytes[3]);
	}
}

CCM_TEST(wire, encode__hello_byte_by_byte)
{
	u8 bytes[kHelloSize];

	encode(hello(), bytes);
	expect_bytes(test, kHelloBytes, bytes);
}

CCM_TEST(wire, decode__hello_byte_by_byte)
{
	Hello decoded = decode(kHelloBytes);
	Hello expected = hello();

	EXPECT_EQ(0, __builtin_memcmp(expected.cluster, decoded.cluster,
				      kClusterSize));
	EXPECT_EQ(expected.incarnation, decoded.incarnation);
	EXPECT_EQ(expected.features, decoded.features);
	EXPECT_EQ(expected.window, decoded.window);
	EXPECT_EQ(0,
		  __builtin_memcmp(expected.nonce, decoded.nonce, kNonceSize));
}

CCM_TEST(wire, encode__limit_byte_by_byte)
{
	u8 bytes[kLimitSize];

	encode(Limit{.limit = 0x1112131415161718, .max_size = 0x21222324},
	       bytes);
	expect_bytes(test, kLimitBytes, bytes);
}

CCM_TEST(wire, decode__limit_byte_by_byte)
{
	Limit limit = decode(kLimitBytes);

	EXPECT_EQ(0x1112131415161718, limit.limit);
	EXPECT_EQ(0x21222324, limit.max_size);
}

CCM_TEST(wire, decode__largest_values)
{
	Header header =
		message(CCM_SIZE_MAX, CCM_SIZE_MAX - kPayloadMax, kPayloadMax);
	u8 bytes[kHeaderSize];

	header.type = header.seqn = ~0u;
	header.sequence = header.acknowledged = ~0ull;
	encode(header, bytes);
	auto decoded = decode(bytes);
	REQUIRE(decoded.ok());
	EXPECT_EQ(~0u, decoded.value().type);
	EXPECT_EQ(~0u, decoded.value().seqn);
	EXPECT_EQ(CCM_SIZE_MAX, decoded.value().size);
	EXPECT_EQ(~0ull, decoded.value().sequence);
	EXPECT_EQ(~0ull, decoded.value().acknowledged);
}

// --- what decode refuses ---------------------------------------------------------------

CCM_TEST(wire, decode__every_bit_of_magic_version_and_flags)
{
	// Bytes 0 and 1: magic; 2: version; 4 and 5: flags.
	static const int kBytes[] = {0, 1, 2, 4, 5};

	for (int byte : kBytes) {
		for (int bit = 0; bit < 8; bit++) {
			u8 bytes[kHeaderSize];

			copy(bytes, kMessageBytes, sizeof(bytes));
			bytes[byte] ^= static_cast<u8>(1 << bit);
			EXPECT_EQ(byte == 2 ? EPROTONOSUPPORT : EPROTO,
				  judge(bytes));
		}
	}
}

CCM_TEST(wire, decode__magic_is_judged_before_version)
{
	u8 bytes[kHeaderSize];

	copy(bytes, kMessageBytes, sizeof(bytes));
	bytes[0] = 'G';
	bytes[2] = 9;
	EXPECT_EQ(EPROTO, judge(bytes));
}

CCM_TEST(wire, decode__version_is_judged_before_the_rest)
{
	u8 bytes[kHeaderSize];

	for (u8 &byte : bytes)
		byte = 0xff; // whatever another version has there
	bytes[0] = bytes[1] = 0x43;
	bytes[2] = 2;
	EXPECT_EQ(EPROTONOSUPPORT, judge(bytes));
}

CCM_TEST(wire, decode__kinds_that_are_none)
{
	for (int kind = 0; kind < 256; kind++) {
		u8 bytes[kHeaderSize];

		if (kind >= 1 && kind <= 10)
			continue;
		copy(bytes, kMessageBytes, sizeof(bytes));
		bytes[3] = static_cast<u8>(kind);
		EXPECT_EQ(EPROTO, judge(bytes));
	}
}

// What stands in front of the arguments has to be there.
CCM_TEST(wire, decode__call_too_short)
{
	for (u8 kind = 6; kind <= 7; kind++) {
		for (u32 size = 0; size < 20; size++) {
			u8 bytes[kHeaderSize];

			copy(bytes, kMessageBytes, sizeof(bytes));
			bytes[3] = kind;
			for (int i = 0; i < 12; i++)
				bytes[20 + i] = 0; // size, offset, length
			bytes[23] = bytes[31] = static_cast<u8>(size);
			EXPECT_EQ(size < kCallSize ? EPROTO : 0, judge(bytes));
		}
	}
}

CCM_TEST(wire, call__byte_by_byte)
{
	const u8 expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0, 0, 0, 0};
	u8 bytes[kCallSize];

	encode(Call{.id = 0x0102030405060708, .how = Call::How::Long}, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		EXPECT_EQ(expected[i], bytes[i]);
	EXPECT_EQ(0x0102030405060708, decode_call(bytes).value().id);
	EXPECT(decode_call(bytes).value().how == Call::How::Long);
	bytes[8] = 3;
	EXPECT_EQ(EPROTO, decode_call(bytes).error());
}

CCM_TEST(wire, answer__byte_by_byte)
{
	const u8 expected[] = {0, 0, 0, 0, 0,	 0,    0,    9,
			       0, 0, 0, 1, 0xff, 0xff, 0xff, 0xea};
	u8 bytes[kCallSize];

	encode(Answer{.id = 9,
		      .outcome = Answer::Outcome::NoHandler,
		      .result = static_cast<u32>(-22)},
	       bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		EXPECT_EQ(expected[i], bytes[i]);
	EXPECT_EQ(-22, static_cast<int>(decode_answer(bytes).value().result));
	bytes[11] = 4;
	EXPECT_EQ(EPROTO, decode_answer(bytes).error());
}

CCM_TEST(wire, decode__node_numbers)
{
	static constexpr Case kCases[] = {
		{"lowest and highest", between(1, 1023), 0},
		{"highest and lowest", between(1023, 1), 0},
		{"source 0", between(0, 1), EPROTO},
		{"source 1024", between(1024, 1), EPROTO},
		{"source 65535", between(65535, 1), EPROTO},
		{"destination 0", between(1, 0), EPROTO},
		{"destination 1024", between(1, 1024), EPROTO},
		{"destination 65535", between(1, 65535), EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, decode__module_numbers)
{
	static constexpr Case kCases[] = {
		{"message to 1", of_module(1), 0},
		{"message to 1023", of_module(1023), 0},
		{"message to 0", of_module(0), EPROTO},
		{"message to 1024", of_module(1024), EPROTO},
		{"message to 65535", of_module(65535), EPROTO},
		{"limit of 1", control(Kind::Limit, kLimitSize, 1), 0},
		{"limit of 1023", control(Kind::Limit, kLimitSize, 1023), 0},
		{"limit of 0", control(Kind::Limit, kLimitSize, 0), EPROTO},
		{"limit of 1024", control(Kind::Limit, kLimitSize, 1024),
		 EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, decode__lengths_of_control_frames)
{
	static constexpr Case kCases[] = {
		{"hello", control(Kind::Hello, kHelloSize), 0},
		{"hello, shorter", control(Kind::Hello, kHelloSize - 1),
		 EPROTO},
		{"hello, longer", control(Kind::Hello, kHelloSize + 1), EPROTO},
		{"hello, empty", control(Kind::Hello, 0), EPROTO},
		{"hello, huge", control(Kind::Hello, ~0u), EPROTO},
		{"limit, shorter", control(Kind::Limit, kLimitSize - 1, 1),
		 EPROTO},
		{"limit, longer", control(Kind::Limit, kLimitSize + 1, 1),
		 EPROTO},
		{"limit, empty", control(Kind::Limit, 0, 1), EPROTO},
		{"ready", control(Kind::Ready, 0), 0},
		{"ready with something", control(Kind::Ready, 1), EPROTO},
		{"goodbye", control(Kind::Goodbye, 0), 0},
		{"goodbye with something", control(Kind::Goodbye, 1), EPROTO},
		{"goodbye with a lot", control(Kind::Goodbye, ~0u), EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, decode__sizes_of_messages)
{
	static constexpr u32 kBig = kPayloadMax * 3;
	static constexpr Case kCases[] = {
		{"empty", message(0, 0, 0), 0},
		{"one byte", message(1, 0, 1), 0},
		{"one full frame", message(kPayloadMax, 0, kPayloadMax), 0},
		{"largest, first", message(CCM_SIZE_MAX, 0, kPayloadMax), 0},
		{"largest, last byte",
		 message(CCM_SIZE_MAX, CCM_SIZE_MAX - 1, 1), 0},
		{"size over the largest", message(CCM_SIZE_MAX + 1, 0, 1),
		 EPROTO},
		{"size as large as can be", message(~0u, 0, 1), EPROTO},
		{"length over a frame", message(kBig, 0, kPayloadMax + 1),
		 EPROTO},
		{"length as large as can be", message(kBig, 0, ~0u), EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, decode__fragments)
{
	static constexpr Case kCases[] = {
		{"in the middle", message(100, 10, 50), 0},
		{"to the end", message(100, 50, 50), 0},
		{"a byte beyond the end", message(100, 50, 51), EPROTO},
		{"longer than all", message(100, 0, 101), EPROTO},
		{"at the end", message(100, 100, 1), EPROTO},
		{"beyond the end", message(100, 101, 1), EPROTO},
		{"offset and length overflow", message(100, ~0u, 1), EPROTO},
		{"nothing of something", message(100, 0, 0), EPROTO},
		{"nothing at the end", message(100, 100, 0), EPROTO},
		{"something of nothing", message(0, 0, 1), EPROTO},
		{"nothing of nothing, beyond", message(0, 1, 0), EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, decode__sequence_numbers)
{
	static constexpr Case kCases[] = {
		{"the first", numbered(1), 0},
		{"the last", numbered(~0ull), 0},
		{"none", numbered(0), EPROTO},
	};

	expect_judged(test, kCases);
}

CCM_TEST(wire, sizes__of_a_frame)
{
	EXPECT_EQ(48, kHeaderSize);
	EXPECT_EQ(96, kHelloSize);
	EXPECT_EQ(16, kLimitSize);
	EXPECT_EQ(65536, kHeaderSize + kPayloadMax);
}
