// Process groups of c10d by name: rendezvous, Gloo or NCCL, a store of texts, and the progress of each
// rank. The collectives themselves are operators, `_c10d_functional::*`.
#pragma once

#include <napi.h>

namespace onevision {

// openProcessGroup({ name, backend, rank, size, host, port, timeoutMs, silenceMs }): meets the
// other ranks; one that is not heard of for `silenceMs` while this one waits is lost
Napi::Value openProcessGroup(const Napi::CallbackInfo& info);
// openSubGroup(name, ranks, timeoutMs): a group of some of the ranks; called by those ranks
Napi::Value openSubGroup(const Napi::CallbackInfo& info);
// closeProcessGroups(): all of them and the store
Napi::Value closeProcessGroups(const Napi::CallbackInfo& info);
// storeSet(key, text)
Napi::Value storeSet(const Napi::CallbackInfo& info);
// storeGet(key) → text, or null where nobody has set it yet
Napi::Value storeGet(const Napi::CallbackInfo& info);
// noteProgress(text): what this rank is at; told to the store by a thread of its own
Napi::Value noteProgress(const Napi::CallbackInfo& info);
// readProgress(waitMs) → what each rank noted last ("" = nothing), or null where no answer came
Napi::Value readProgress(const Napi::CallbackInfo& info);
// noteWaiting(isWaiting): whether this rank waits for others
Napi::Value noteWaiting(const Napi::CallbackInfo& info);
// lostRank() → the rank that was lost while this one waited, or null
Napi::Value lostRank(const Napi::CallbackInfo& info);
// whyNoNccl() → what groups on CUDA lacked when the addon was compiled, or null where they are there
Napi::Value whyNoNccl(const Napi::CallbackInfo& info);

}  // namespace onevision
