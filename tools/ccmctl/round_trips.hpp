// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>

namespace ccmctl {

// What ping has seen.
struct RoundTrips {
	std::uint32_t sent = 0;
	std::uint32_t answered = 0;
	std::uint64_t least_us = 0;
	std::uint64_t most_us = 0;
	std::uint64_t sum_us = 0;

	void add(std::uint64_t rtt_us);
	std::uint64_t mean_us() const;
	unsigned int lost_percent() const;
};

// "3 sent, 2 answered, 33% lost\nround trip min/avg/max = 0.1/0.2/0.3 ms"
std::string summary_text(const RoundTrips &trips);

}
