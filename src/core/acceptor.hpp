// SPDX-License-Identifier: GPL-2.0
// The listening socket, and the pending connections: accepted on it, and not proven
// yet to be a peer's.
#pragma once

#include "core/connection.hpp"
#include "core/work.hpp"

namespace ccm {

// How long a connection may take until it is up.
constexpr u32 kHandshakeMs = 3000;

// The listener's thread's own; others may mark it.
class Acceptor : public Work {
public:
	Acceptor(Listener &listener, Node &node);
	~Acceptor();
	Acceptor(const Acceptor &) = delete;
	Acceptor &operator=(const Acceptor &) = delete;

	// Listen at the node's address. Binding waits for nobody.
	Status listen();
	// Accept no more.
	void stop();
	void serve(u32 bits);
	// If accepting has failed, it is tried again at its time.
	void check(u64 now);

	// Whoever connects has proven to be a peer: it is pending no more.
	void admit(Connection &connection);
	// Refuse a pending connection: counted, told, closed.
	void refuse(Connection &connection, ccm_reason reason, int error);
	// It goes: its address has a place more.
	void leave(Connection &connection);

private:
	void accept_all();
	void try_again();
	void accept(ccm_socket *socket);
	void size_backlog();
	void make_room(Origin &origin, u32 places);
	// node: who it has proven to be, or 0.
	void tell_refused(const ccm_endpoint &remote, ccm_reason reason,
			  int error, u32 node = 0);

	Listener &listener_;
	Node &node_;
	ccm_socket *socket_ = nullptr;
	bool stopped_ = false;
	u64 accepted_ = 0; // connections, in their order
	u64 again_ms_ = 0; // when to try to accept again; 0: no need
};

} // namespace ccm
