// SPDX-License-Identifier: GPL-2.0
#include "round_trips.hpp"

#include "text.hpp"

using namespace ccmctl;

CCM_TEST(round_trips, summary__of_some_answers)
{
	RoundTrips trips{.sent = 3};

	trips.add(300);
	trips.add(100);
	EXPECT_EQ(100, trips.least_us);
	EXPECT_EQ(200, trips.mean_us());
	EXPECT_EQ(300, trips.most_us);
	EXPECT_TEXT("3 sent, 2 answered, 33% lost\n"
		    "round trip min/avg/max = 0.100 ms/0.200 ms/0.300 ms",
		    summary_text(trips));
}

CCM_TEST(round_trips, summary__of_no_answer)
{
	EXPECT_TEXT("2 sent, 0 answered, 100% lost",
		    summary_text(RoundTrips{.sent = 2}));
	EXPECT_TEXT("0 sent, 0 answered, 0% lost", summary_text(RoundTrips{}));
}
