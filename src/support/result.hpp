// SPDX-License-Identifier: GPL-2.0
// Errors as values: a Result cannot be dropped by accident.
#pragma once

#include "support/errno.hpp"

namespace ccm {

// A positive error number, on its way to becoming a Result.
struct Failure {
	int error;
};

constexpr Failure fail(int error)
{
	return Failure{error};
}

// A value, or why there is none.
template <class T> class [[nodiscard]] Result {
public:
	constexpr Result(T value) : value_(value)
	{
	}
	constexpr Result(Failure failure) : error_(failure.error)
	{
	}

	constexpr bool ok() const
	{
		return error_ == 0;
	}
	constexpr int error() const
	{
		return error_;
	}
	constexpr T value() const
	{
		return value_;
	}

private:
	T value_{};
	int error_ = 0;
};

// Nothing, or what went wrong.
template <> class [[nodiscard]] Result<void> {
public:
	constexpr Result() = default;
	constexpr Result(Failure failure) : error_(failure.error)
	{
	}
	// From the kernel side: 0 or a negative errno.
	static constexpr Result from(int code)
	{
		return code < 0 ? Result(fail(-code)) : Result();
	}

	constexpr bool ok() const
	{
		return error_ == 0;
	}
	constexpr int error() const
	{
		return error_;
	}
	constexpr void value() const
	{
	}
	// For the kernel side: 0 or a negative errno.
	constexpr int code() const
	{
		return -error_;
	}

private:
	int error_ = 0;
};

using Status = Result<void>;

} // namespace ccm

// The value of a Result (none, of a Status), or return its error from here.
#define TRY(expression)                                         \
	({                                                      \
		auto try_result = (expression);                 \
		if (!try_result.ok())                           \
			return ::ccm::fail(try_result.error()); \
		try_result.value();                             \
	})
