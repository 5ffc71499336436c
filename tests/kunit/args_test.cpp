// SPDX-License-Identifier: GPL-2.0
// Arguments of calls: written, read, and read wrongly.
#include "test.hpp"

#include "core/args.hpp"
#include "kernel/kernel.h"

using namespace ccm;

namespace {

const u8 kBytes[] = {0, 255, 7};

const ccm_arg kAll[] = {
	{.type = CCM_ARG_U32, .size = 0, .number = 0xfedcba98, .data = nullptr},
	{.type = CCM_ARG_U64,
	 .size = 0,
	 .number = 0x0123456789abcdef,
	 .data = nullptr},
	{.type = CCM_ARG_STRING, .size = 0, .number = 0, .data = "word"},
	{.type = CCM_ARG_BYTES,
	 .size = sizeof(kBytes),
	 .number = 0,
	 .data = kBytes},
	{.type = CCM_ARG_STRING, .size = 0, .number = 0, .data = ""},
	{.type = CCM_ARG_BYTES, .size = 0, .number = 0, .data = nullptr},
};
constexpr size_t kCount = sizeof(kAll) / sizeof(kAll[0]);

// All of them, as they travel: Documentation/protocol.rst.
const u8 kWire[] = {
	1, 0xfe, 0xdc, 0xba, 0x98,			      // u32
	2, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,    // u64
	3, 0,	 0,    0,    5,	   'w',	 'o',  'r',  'd',  0, // string
	4, 0,	 0,    0,    3,	   0,	 255,  7,	      // bytes
	3, 0,	 0,    0,    1,	   0,			      // empty string
	4, 0,	 0,    0,    0,				      // no bytes
};

ccm_args reading(const u8 *from, size_t size)
{
	ccm_args args{};

	args.at = from;
	args.end = from + size;
	return args;
}

// Reads as many as are right, in their types; how it ended.
int read_all(ccm_args &args, size_t &read)
{
	const char *string;
	const void *data;
	size_t size;
	u32 small;
	u64 large;

	for (read = 0; read < kCount; read++) {
		int error = 0;

		switch (kAll[read].type) {
		case CCM_ARG_U32:
			error = ccm_core_get_u32(&args, &small);
			break;
		case CCM_ARG_U64:
			error = ccm_core_get_u64(&args, &large);
			break;
		case CCM_ARG_STRING:
			error = ccm_core_get_string(&args, &string);
			break;
		case CCM_ARG_BYTES:
			error = ccm_core_get_bytes(&args, &data, &size);
			break;
		}
		if (error)
			return error;
	}
	return 0;
}

} // namespace

CCM_TEST(args, write__every_type_byte_by_byte)
{
	u8 written[sizeof(kWire)];
	auto size = args_size({kAll, kCount});

	REQUIRE(size.ok());
	REQUIRE_EQ(sizeof(kWire), size.value());
	write_args({kAll, kCount}, written);
	for (size_t i = 0; i < sizeof(kWire); i++)
		EXPECT_EQ(kWire[i], written[i]);
}

CCM_TEST(args, read__what_was_written)
{
	ccm_args args = reading(kWire, sizeof(kWire));
	const char *string = nullptr;
	const void *data = nullptr;
	size_t size = 0;
	u32 small = 0;
	u64 large = 0;

	EXPECT_EQ(-EPROTOTYPE, ccm_core_get_end(&args));
	EXPECT_EQ(0, ccm_core_get_u32(&args, &small));
	EXPECT_EQ(0xfedcba98, small);
	EXPECT_EQ(0, ccm_core_get_u64(&args, &large));
	EXPECT_EQ(0x0123456789abcdef, large);
	EXPECT_EQ(0, ccm_core_get_string(&args, &string));
	EXPECT_EQ(0, __builtin_memcmp(string, "word", 5));
	EXPECT_EQ(0, ccm_core_get_bytes(&args, &data, &size));
	EXPECT_EQ(3, size);
	EXPECT_EQ(0, __builtin_memcmp(data, kBytes, 3));
	EXPECT_EQ(0, ccm_core_get_string(&args, &string));
	EXPECT_EQ(0, string[0]);
	EXPECT_EQ(0, ccm_core_get_bytes(&args, &data, &size));
	EXPECT_EQ(0, size);
	EXPECT_EQ(0, ccm_core_get_end(&args));
	EXPECT_EQ(-ENOMSG, ccm_core_get_u32(&args, &small));
	EXPECT_EQ(-ENOMSG, ccm_core_get_bytes(&args, &data, &size));
}

CCM_TEST(args, read__another_type_passes_nothing_over)
{
	static const struct {
		size_t begin;
		ccm_arg_type type;
	} kStarts[] = {{0, CCM_ARG_U32},
		       {5, CCM_ARG_U64},
		       {14, CCM_ARG_STRING},
		       {24, CCM_ARG_BYTES}};

	for (const auto &start : kStarts) {
		ccm_args args = reading(kWire + start.begin,
					sizeof(kWire) - start.begin);
		const char *string;
		const void *data;
		size_t size;
		u32 small;
		u64 large;

		if (start.type != CCM_ARG_U32)
			EXPECT_EQ(-EPROTOTYPE, ccm_core_get_u32(&args, &small));
		if (start.type != CCM_ARG_U64)
			EXPECT_EQ(-EPROTOTYPE, ccm_core_get_u64(&args, &large));
		if (start.type != CCM_ARG_STRING)
			EXPECT_EQ(-EPROTOTYPE,
				  ccm_core_get_string(&args, &string));
		if (start.type != CCM_ARG_BYTES)
			EXPECT_EQ(-EPROTOTYPE,
				  ccm_core_get_bytes(&args, &data, &size));
		EXPECT(args.at == kWire + start.begin);
	}
}

CCM_TEST(args, read__cut_at_every_byte)
{
	// Where each argument ends.
	static const size_t kEnds[] = {0, 5, 14, 24, 32, 38, 43};

	for (size_t cut = 0; cut < sizeof(kWire); cut++) {
		ccm_args args = reading(kWire, cut);
		size_t read = 0, whole = 0;
		int error = read_all(args, read);

		while (kEnds[whole + 1] <= cut)
			whole++;
		EXPECT_EQ(whole, read);
		EXPECT_EQ(cut == kEnds[whole] ? -ENOMSG : -EBADMSG, error);
		EXPECT(args.at == kWire + kEnds[whole]);
	}
}

CCM_TEST(args, read__a_string_without_its_end)
{
	static const u8 kBad[][8] = {
		{3, 0, 0, 0, 0},		// no bytes at all
		{3, 0, 0, 0, 3, 'a', 'b', 'c'}, // no NUL
		{3, 0, 0, 0, 3, 'a', 0, 'c'},
		{3, 0, 0, 0, 3, 'a', 0, 0}, // two
		{3, 0xff, 0xff, 0xff, 0xff, 'a', 'b', 0},
	};
	const char *string;

	for (const auto &bad : kBad) {
		ccm_args args = reading(bad, sizeof(bad));

		EXPECT_EQ(-EBADMSG, ccm_core_get_string(&args, &string));
		EXPECT(args.at == bad);
	}
}

CCM_TEST(args, read__an_unknown_type)
{
	static const u8 kBad[] = {9, 0, 0, 0, 0};
	ccm_args args = reading(kBad, sizeof(kBad));
	u32 value;

	EXPECT_EQ(-EPROTOTYPE, ccm_core_get_u32(&args, &value));
}

CCM_TEST(args, size__refuses_what_cannot_be_sent)
{
	const ccm_arg none = {.type = CCM_ARG_STRING,
			      .size = 0,
			      .number = 0,
			      .data = nullptr};
	const ccm_arg no_data = {
		.type = CCM_ARG_BYTES, .size = 1, .number = 0, .data = nullptr};
	const ccm_arg huge = {.type = CCM_ARG_BYTES,
			      .size = CCM_SIZE_MAX + 1ul,
			      .number = 0,
			      .data = kBytes};
	const ccm_arg unknown = {.type = static_cast<ccm_arg_type>(0),
				 .size = 0,
				 .number = 0,
				 .data = kBytes};
	const ccm_arg nearly = {.type = CCM_ARG_BYTES,
				.size = CCM_SIZE_MAX,
				.number = 0,
				.data = kBytes};

	EXPECT_EQ(EINVAL, args_size({&none, 1}).error());
	EXPECT_EQ(EINVAL, args_size({&no_data, 1}).error());
	EXPECT_EQ(EMSGSIZE, args_size({&huge, 1}).error());
	EXPECT_EQ(EMSGSIZE, args_size({&nearly, 1}).error());
	EXPECT_EQ(EINVAL, args_size({&unknown, 1}).error());
	EXPECT_EQ(EINVAL, args_size({kAll, kArgsMax + 1}).error());
	EXPECT_EQ(0, args_size({nullptr, 0}).value());
}
