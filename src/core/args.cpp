// SPDX-License-Identifier: GPL-2.0
#include "core/args.hpp"

#include "support/endian.hpp"
#include "support/memory.hpp"

namespace ccm {

namespace {

// In front of every value. A number follows; a size and the data.
constexpr size_t kTag = 1;

size_t length_of(const char *string)
{
	return __builtin_strlen(string);
}

// In front of the data of a string or bytes.
constexpr size_t kDataHead = kTag + sizeof(be32);

// Bytes that it takes; a string travels with its NUL. EINVAL, EMSGSIZE.
Result<u32> size_of(const ccm_arg &arg)
{
	size_t size = arg.size;

	switch (arg.type) {
	case CCM_ARG_U32:
		return kTag + sizeof(be32);
	case CCM_ARG_U64:
		return kTag + sizeof(be64);
	case CCM_ARG_STRING:
		if (!arg.data)
			return fail(EINVAL);
		size = length_of(static_cast<const char *>(arg.data)) + 1;
		break;
	case CCM_ARG_BYTES:
		if (arg.size && !arg.data)
			return fail(EINVAL);
		break;
	default:
		return fail(EINVAL);
	}
	if (size > CCM_SIZE_MAX)
		return fail(EMSGSIZE);
	return static_cast<u32>(kDataHead + size);
}

template <class T> u8 *put(u8 *to, const T &value)
{
	copy(to, &value, sizeof(value));
	return to + sizeof(value);
}

template <class T> T get(const u8 *from)
{
	T value;

	copy(&value, from, sizeof(value));
	return value;
}

u8 *write_data(const void *data, u32 size, u8 *to)
{
	to = put(to, be32(size));
	copy(to, data, size);
	return to + size;
}

// It ends where it ends in the copy.
u8 *write_string(const void *string, u32 room, u8 *to)
{
	u8 *copied = to + sizeof(be32);

	copy(copied, string, room - 1);
	copied[room - 1] = 0;
	size_t size = length_of(reinterpret_cast<const char *>(copied)) + 1;
	put(to, be32(static_cast<u32>(size)));
	return copied + size;
}

// Into the bytes that were measured; nullptr if it is not what was.
u8 *write_one(const ccm_arg &arg, u32 size, u8 *to)
{
	bool is_string = arg.type == CCM_ARG_STRING;

	if (is_string ? !arg.data || size <= kDataHead
		      : size_of(arg).value() != size)
		return nullptr;
	*to++ = static_cast<u8>(arg.type);
	if (is_string)
		return write_string(arg.data, size - kDataHead, to);
	if (arg.type == CCM_ARG_U32)
		return put(to, be32(static_cast<u32>(arg.number)));
	if (arg.type == CCM_ARG_U64)
		return put(to, be64(arg.number));
	return write_data(arg.data, static_cast<u32>(arg.size), to);
}

// The value of the next argument, if it has this type and is all there.
int open(const ccm_args &args, ccm_arg_type type, size_t size)
{
	size_t left = static_cast<size_t>(args.end - args.at);

	if (left == 0)
		return -ENOMSG;
	if (*args.at != type)
		return -EPROTOTYPE;
	return left - kTag < size ? -EBADMSG : 0;
}

template <class Wire, class T>
int get_number(ccm_args &args, ccm_arg_type type, T *value)
{
	int error = open(args, type, sizeof(Wire));

	if (error)
		return error;
	*value = get<Wire>(args.at + kTag);
	args.at += kTag + sizeof(Wire);
	return 0;
}

int get_data(ccm_args &args, ccm_arg_type type, const u8 **data, size_t *size)
{
	int error = open(args, type, sizeof(be32));

	if (error)
		return error;
	const u8 *begin = args.at + kTag + sizeof(be32);
	u32 length = get<be32>(args.at + kTag);
	if (static_cast<size_t>(args.end - begin) < length)
		return -EBADMSG;
	*data = begin;
	*size = length;
	return 0;
}

} // namespace

Status Measured::measure(const Args &args)
{
	u64 size = 0;

	args_ = args;
	if (args.count > kArgsMax)
		return fail(EINVAL);
	for (size_t i = 0; i < args.count; i++) {
		sizes_[i] = TRY(size_of(once(args.first[i])));
		size += sizes_[i];
	}
	if (size > CCM_SIZE_MAX)
		return fail(EMSGSIZE);
	size_ = static_cast<u32>(size);
	return {};
}

Result<u32> Measured::write(u8 *to) const
{
	u8 *at = to;

	for (size_t i = 0; i < args_.count; i++) {
		at = write_one(once(args_.first[i]), sizes_[i], at);
		if (!at)
			return fail(EINVAL);
	}
	return static_cast<u32>(at - to);
}

Status write_args(const Measured &args, Message &to)
{
	u32 size = TRY(args.write(to.payload() + wire::kCallSize));

	to.shorten(wire::kCallSize + size);
	return {};
}

} // namespace ccm

using namespace ccm;

int ccm_core_get_u32(ccm_args *args, u32 *value)
{
	return get_number<be32>(*args, CCM_ARG_U32, value);
}

int ccm_core_get_u64(ccm_args *args, u64 *value)
{
	return get_number<be64>(*args, CCM_ARG_U64, value);
}

int ccm_core_get_string(ccm_args *args, const char **string)
{
	const u8 *data;
	size_t size;
	int error = get_data(*args, CCM_ARG_STRING, &data, &size);

	if (error)
		return error;
	// One NUL, at the end.
	if (size == 0 || data[size - 1] != 0 ||
	    length_of(reinterpret_cast<const char *>(data)) != size - 1)
		return -EBADMSG;
	*string = reinterpret_cast<const char *>(data);
	args->at = data + size;
	return 0;
}

int ccm_core_get_bytes(ccm_args *args, const void **data, size_t *size)
{
	const u8 *bytes;
	int error = get_data(*args, CCM_ARG_BYTES, &bytes, size);

	if (error)
		return error;
	*data = bytes;
	args->at = bytes + *size;
	return 0;
}

int ccm_core_get_end(const ccm_args *args)
{
	return args->at == args->end ? 0 : -EPROTOTYPE;
}
