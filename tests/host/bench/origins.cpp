// SPDX-License-Identifier: GPL-2.0
// Peers that are configured each at an address of its own.
#include "core/node.hpp"

#include "bench/cases.hpp"

using namespace ccm;

namespace {

struct Judge {
	explicit Judge(u32 others)
		: node(ccm_core_create(nullptr)), count(others),
		  peers(static_cast<Peer **>(
			  ccm_object_alloc(count * sizeof(Peer *), true)))
	{
		for (u32 nth = 0; nth < count; nth++) {
			peers[nth] = create<Peer>(MaySleep::Yes, *node,
						  config_of(nth), false);
			if (!origins.add(*peers[nth]).ok())
				bench::die("no memory");
		}
	}
	~Judge()
	{
		for (u32 nth = 0; nth < count; nth++) {
			origins.remove(*peers[nth]);
			peers[nth]->put();
		}
		ccm_object_free(peers);
		ccm_core_destroy(node);
	}
	static ccm_peer_config config_of(u32 nth)
	{
		return {.number = 2,
			.remote = {.family = 4,
				   .address = {10, static_cast<u8>(nth >> 16),
					       static_cast<u8>(nth >> 8),
					       static_cast<u8>(nth)}}};
	}
	void step(u32 chance)
	{
		Verdict verdict =
			origins.judge(config_of(chance % count).remote, 1);

		if (verdict.reason != CCM_REASON_NONE)
			bench::die("it is not let in");
	}

	ccm_node *const node;
	Origins origins;
	const u32 count;
	Peer **const peers;
};

} // namespace

constexpr bench::Case bench::kJudge =
	make_case<Judge>("judge", "a connection is judged by its address");
