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
	Measured measured;

	REQUIRE(measured.measure({kAll, kCount}).ok());
	REQUIRE_EQ(sizeof(kWire), measured.size());
	EXPECT_EQ(sizeof(kWire), measured.write(written).value());
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

	Measured measured;
	auto error_of = [&](const Args &args) {
		return measured.measure(args).error();
	};

	EXPECT_EQ(EINVAL, error_of({&none, 1}));
	EXPECT_EQ(EINVAL, error_of({&no_data, 1}));
	EXPECT_EQ(EMSGSIZE, error_of({&huge, 1}));
	EXPECT_EQ(EMSGSIZE, error_of({&nearly, 1}));
	EXPECT_EQ(EINVAL, error_of({&unknown, 1}));
	EXPECT_EQ(EINVAL, error_of({kAll, kArgsMax + 1}));
	EXPECT_EQ(0, error_of({nullptr, 0}));
	EXPECT_EQ(0, measured.size());
}

namespace {

// A string between a number and a byte, measured, and then another one.
struct Changing {
	explicit Changing(const char *before)
	{
		rename(before);
		measured = size.measure({args, 3}).ok();
	}
	void rename(const char *to)
	{
		__builtin_memcpy(name, to, __builtin_strlen(to) + 1);
	}
	// What has been written is what was measured, at most, and can be read.
	void expect(ccm_test *test, const char *expected)
	{
		const char *string = "";
		const void *data;
		size_t count;
		u32 number;

		REQUIRE(measured && size.size() <= sizeof(written) - 1);
		written[size.size()] = 0xa5;
		auto wrote = size.write(written);
		REQUIRE(wrote.ok() && wrote.value() <= size.size());
		EXPECT_EQ(0xa5, written[size.size()]);
		ccm_args read = reading(written, wrote.value());
		EXPECT_EQ(0, ccm_core_get_u32(&read, &number));
		EXPECT_EQ(0, ccm_core_get_string(&read, &string));
		EXPECT_EQ(0, __builtin_strcmp(expected, string));
		EXPECT_EQ(0, ccm_core_get_bytes(&read, &data, &count));
		EXPECT_EQ(sizeof(kBytes), count);
		EXPECT_EQ(0, ccm_core_get_end(&read));
	}

	char name[16];
	ccm_arg args[3] = {
		kAll[0],
		{.type = CCM_ARG_STRING, .size = 0, .number = 0, .data = name},
		kAll[3]};
	Measured size;
	bool measured;
	u8 written[64];
};

} // namespace

CCM_TEST(args, write__a_string_that_has_grown)
{
	Changing changing("sh");

	changing.rename("kworker/u8:1-ev");
	changing.expect(test, "kw");
}

CCM_TEST(args, write__a_string_that_has_shrunk)
{
	Changing changing("kworker/u8:1-ev");

	changing.rename("sh");
	changing.expect(test, "sh");
}

CCM_TEST(args, write__other_arguments_than_were_measured)
{
	Changing changing("sh");

	changing.args[0] = kAll[1];
	EXPECT_EQ(EINVAL, changing.size.write(changing.written).error());
	changing.args[0] = changing.args[1];
	EXPECT_EQ(EINVAL, changing.size.write(changing.written).error());
	changing.args[0] = kAll[0];
	changing.args[2].size++;
	EXPECT_EQ(EINVAL, changing.size.write(changing.written).error());
	changing.args[2].size = sizeof(kBytes);
	changing.args[1].data = nullptr;
	EXPECT_EQ(EINVAL, changing.size.write(changing.written).error());
}
