// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <initializer_list>
#include <optional>

namespace ccmctl {

// Signals that are read instead of interrupting, from now on.
class Signals {
public:
	explicit Signals(std::initializer_list<int> numbers);
	~Signals();
	Signals(const Signals &) = delete;
	Signals &operator=(const Signals &) = delete;

	// The number of one that has come.
	std::optional<int> take();

	// To poll(2) for reading.
	int fd() const
	{
		return fd_;
	}

private:
	int fd_;
};

}
