// SPDX-License-Identifier: GPL-2.0
#include "round_trips.hpp"

#include <algorithm>

#include "words.hpp"

namespace ccmctl {

void RoundTrips::add(std::uint64_t rtt_us)
{
	least_us = answered == 0 ? rtt_us : std::min(least_us, rtt_us);
	most_us = std::max(most_us, rtt_us);
	sum_us += rtt_us;
	answered++;
}

std::uint64_t RoundTrips::mean_us() const
{
	return answered == 0 ? 0 : sum_us / answered;
}

unsigned int RoundTrips::lost_percent() const
{
	constexpr std::uint64_t kAll = 100;

	return sent == 0 ? 0
			 : static_cast<unsigned int>((sent - answered) * kAll /
						     sent);
}

std::string summary_text(const RoundTrips &trips)
{
	std::string text = std::to_string(trips.sent) + " sent, " +
			   std::to_string(trips.answered) + " answered, " +
			   std::to_string(trips.lost_percent()) + "% lost";

	if (trips.answered != 0)
		text += "\nround trip min/avg/max = " +
			round_trip_text(trips.least_us) + "/" +
			round_trip_text(trips.mean_us()) + "/" +
			round_trip_text(trips.most_us);
	return text;
}

}
