// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/mpi/group.hpp>
#include <elegans/mpi/session.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/training_group.hpp>

namespace elegans::mpi {

/// A model that all ranks of a session train together. Give it to `fit` in place of the model, in every rank:
///
///     elegans::mpi::Session session(argc, argv);
///     elegans::LTC<float> model(wiring, 2);
///     elegans::mpi::DataParallel parallel(session, model);
///     elegans::fit(parallel, data, optimizer, {.epochs = 200, .batch_size = 64, .grain = 8}, checkpoint);
///
/// Each batch is cut into grains of `FitOptions::grain` samples, and each rank computes the gradients of some grains.
/// They are added in a tree that depends on the grains alone. So the model ends with the same bits for any number of
/// ranks, and for one process without MPI, as long as all ranks have the same kind of processor. In the end every rank
/// has the trained model. Validation data are shared likewise, also by `evaluate`.
///
/// - Every rank makes the same call with the same options and data. `fit` refuses to begin if something differs. A
///   `DataSource` is only asked for the samples of its own rank.
/// - Rank 0 alone reads and writes the files of a `Checkpoint` and of other `Recorder`s, such as `CsvLog` and
///   `SaveBest`, and draws the progress bar. Any number of ranks may resume. Other callbacks run in every rank, with
///   the rank's own model; see `on_root`. If one of them stops the training, all ranks stop.
/// - If an exception leaves `fit` in one rank, the session ends the job.
///
/// Called by itself, it is the model of its own rank: `forward`, `backward` and `model(x)` send no messages.
///
/// \tparam ModelType  a `TrainableModel`
template <TrainableModel ModelType>
class DataParallel {
 public:
  using Scalar = typename ModelType::Scalar;
  static constexpr int state_size_at_compile_time = ModelType::state_size_at_compile_time;
  using ContextType = Context<Scalar, state_size_at_compile_time>;

  /// Refers to the session and to the model, which must outlive it. Every rank's model gets the parameters of rank 0.
  DataParallel(Session& session, ModelType& model) : model_(model), group_(session) {
    const ConstVectorView<Scalar> mine = model.parameters();
    std::vector<Scalar> of_root(mine.data(), mine.data() + mine.size());
    elegans::detail::broadcast_vector(group_, of_root);
    if (static_cast<Index>(of_root.size()) != mine.size()) {
      elegans::detail::refuse("mpi::DataParallel: the model of rank ", group_.rank(), " has ", mine.size(),
                              " parameters, that of rank 0 has ", of_root.size());
    }
    update([&](VectorView<Scalar> all) { all = ConstVectorView<Scalar>(of_root.data(), all.size()); });
  }

  /// The model of this rank.
  [[nodiscard]] ModelType& model() const noexcept { return model_; }
  /// The ranks.
  [[nodiscard]] Group& group() noexcept { return group_; }

  /// That of the model of this rank.
  decltype(auto) forward(const Sequence<Scalar>& x, const ContextType& context = {}) {
    return model_.forward(x, context);
  }
  decltype(auto) operator()(const Sequence<Scalar>& x, const ContextType& context = {}) { return model_(x, context); }
  void backward(const Sequence<Scalar>& d_output) { model_.backward(d_output); }
  /// That of the model of this rank.
  [[nodiscard]] decltype(auto) final_state() const { return std::as_const(model_).final_state(); }
  [[nodiscard]] ConstVectorView<Scalar> parameters() const { return std::as_const(model_).parameters(); }
  [[nodiscard]] ConstVectorView<Scalar> gradient() const { return std::as_const(model_).gradient(); }
  template <typename Change>
  void update(Change&& change) {
    model_.update(std::forward<Change>(change));
  }

 private:
  ModelType& model_;
  Group group_;
};

}  // namespace elegans::mpi
