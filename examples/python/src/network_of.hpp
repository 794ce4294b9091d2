// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include <elegans/elegans.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/thread_pool.hpp>

#include "network.hpp"
#include "stack_session.hpp"

namespace elegans::python {

/// A `Network` of one type of model.
template <typename Model>
class NetworkOf : public Network {
  using Scalar = typename Model::Scalar;
  using StateType = typename Model::StateType;
  using Strides = Eigen::Stride<Dynamic, Dynamic>;
  using RowMajor = Eigen::Array<Scalar, Dynamic, Dynamic, Eigen::RowMajor>;

  /// Room for a pass: a session, with what it reads.
  struct Room {
    explicit Room(const Model& model) : session(model) {}
    SessionOf<Model> session;
    Sequence<Scalar> x, d_y;
    typename Model::ContextType context;
    StateType d_final;
    int epoch = 0;
    std::uint64_t changes = 0;  ///< of the parameters before the forward pass
  };

  class PassOf : public Pass {
   public:
    PassOf(std::shared_ptr<NetworkOf> network, std::unique_ptr<Room> room)
        : network_(std::move(network)), room_(std::move(room)) {}
    PassOf(const PassOf&) = delete;
    PassOf& operator=(const PassOf&) = delete;
    ~PassOf() override { network_->give_back(std::move(room_)); }

    void backward(const Tensors& parameters, const Backward& results) override {
      const std::lock_guard lock(mutex_);
      network_->with_parameters(parameters, [&] { network_->go_back(*room_, results); });
    }

   private:
    std::shared_ptr<NetworkOf> network_;
    std::unique_ptr<Room> room_;
    std::mutex mutex_;
  };

 public:
  explicit NetworkOf(Model model) : model_(std::move(model)) {}

  [[nodiscard]] bool is_double() const override { return sizeof(Scalar) == sizeof(double); }
  [[nodiscard]] Index units() const override {
    if (model_.state_size() == 0) return 0;
    Index units = model_.state_size();
    detail::in_own_type(model_, [&](const auto& own) {
      if constexpr (requires { own.units(); }) units = own.units();
    });
    return units;
  }
  [[nodiscard]] Index input_dim() const override { return model_.input_dim(); }
  [[nodiscard]] Index output_dim() const override { return model_.output_dim(); }
  [[nodiscard]] bool has_memory() const override { return model_.state_size() != units(); }
  [[nodiscard]] bool return_sequences() const override { return model_.return_sequences(); }
  [[nodiscard]] std::string summary() const override { return model_.summary(); }
  [[nodiscard]] std::string kind() const override { return detail::kind_of_model(model_); }
  [[nodiscard]] const Wiring<>* wiring() const override {
    if constexpr (requires { model_.wiring(); }) return &model_.wiring();
    return nullptr;
  }
  [[nodiscard]] std::any copy_of_model() const override {
    const std::shared_lock lock(mutex_);
    return model_;
  }

  [[nodiscard]] std::vector<TensorShape> tensors() const override {
    std::vector<TensorShape> all;
    detail::for_each_leaf(model_, "", [&]<typename Layer>(const Layer& layer, const std::string& prefix) {
      using Format = detail::FormatOf<Layer>;
      const detail::ModelNames names = Format::names(prefix);
      for (const Parameter& entry : layer.parameter_list()) {
        std::vector<Index> shape;
        for (const auto extent : detail::shape_in_file<Format>(entry)) shape.push_back(static_cast<Index>(extent));
        all.push_back({names.in_file(entry.name), std::move(shape)});
      }
    });
    return all;
  }

  void read_parameters(const Tensors& to) const override {
    const std::shared_lock lock(mutex_);
    write_rows(model_.parameters().data(), to);
  }
  void write_parameters(const Tensors& from) override {
    const std::unique_lock lock(mutex_);
    take_over(from);
  }

  std::unique_ptr<Pass> forward(const Tensors& parameters, const Forward& arguments) override {
    std::unique_ptr<Room> room = take_room();
    with_parameters(parameters, [&] { run(*room, arguments); });
    if (arguments.has_tape) {
      return std::make_unique<PassOf>(std::static_pointer_cast<NetworkOf>(shared_from_this()), std::move(room));
    }
    give_back(std::move(room));
    return nullptr;
  }

  History<double> fit(const Training& training) override {
    Model model = [&] {
      const std::shared_lock lock(mutex_);
      return model_;
    }();
    if (training.workers != 1) model.set_executor(std::make_shared<ThreadPool>(training.workers));
    const auto publish = [&] {
      const std::unique_lock lock(mutex_);
      model_.update_unconstrained([&](auto all) { all = model.parameters(); });
      ++changes_;
    };
    try {
      const History<Scalar> history = fit_model(model, training, publish);
      publish();
      return in_double(history);
    } catch (...) {
      publish();  // the epochs before
      throw;
    }
  }

  void save(const std::string& path, const std::string& prefix) const override {
    const std::shared_lock lock(mutex_);
    elegans::save(model_, path, {.prefix = prefix});
  }

 private:
  // --- parameters ----------------------------------------------------------------------------------------------------

  /// Calls run() while the model has these parameters. Only the first call after a change keeps other threads waiting.
  template <typename Run>
  void with_parameters(const Tensors& parameters, Run run) {
    {
      const std::shared_lock lock(mutex_);
      if (has(parameters)) return run();
    }
    const std::unique_lock lock(mutex_);
    take_over(parameters);
    run();
  }
  /// A (rows, columns) view of a tensor of Python's.
  static Eigen::Map<RowMajor> rows_of(void* values, const Parameter& entry) {
    return {static_cast<Scalar*>(values), entry.rows, entry.columns};
  }
  static ConstArrayView<Scalar> columns_of(const Scalar* all, const Parameter& entry) {
    return {all + entry.offset, entry.rows, entry.columns};
  }
  /// Whether the model has these parameters, to the bit.
  [[nodiscard]] bool has(const Tensors& parameters) const {
    std::size_t k = 0;
    for (const Parameter& entry : model_.parameter_list()) {
      if (parameters.empty()) break;
      const auto* const from = static_cast<const Bits*>(parameters[k++]);
      const auto* const own = reinterpret_cast<const Bits*>(model_.parameters().data() + entry.offset);
      for (Index row = 0; row < entry.rows; ++row) {
        for (Index column = 0; column < entry.columns; ++column) {
          if (from[row * entry.columns + column] != own[row + entry.rows * column]) return false;
        }
      }
    }
    return true;
  }
  void take_over(const Tensors& parameters) {
    if (parameters.empty()) return;
    model_.update_unconstrained([&](auto all) {
      std::size_t k = 0;
      for (const Parameter& entry : model_.parameter_list()) {
        ArrayView<Scalar>(all.data() + entry.offset, entry.rows, entry.columns) = rows_of(parameters[k++], entry);
      }
    });
    ++changes_;
  }
  void write_rows(const Scalar* all, const Tensors& to) const {
    std::size_t k = 0;
    for (const Parameter& entry : model_.parameter_list()) {
      if (void* const values = to[k++]) rows_of(values, entry) = columns_of(all, entry);
    }
  }

  // --- passes --------------------------------------------------------------------------------------------------------

  static Eigen::Map<Eigen::Array<Scalar, Dynamic, Dynamic>, 0, Strides> sample_of(const Strided& from, Index sample,
                                                                                  Index time, Index features) {
    return {static_cast<Scalar*>(from.values) + sample * from.batch, time, features, Strides(from.feature, from.time)};
  }
  static void read(const Strided& from, Sequence<Scalar>& to) {
    for (Index b = 0; b < to.batch(); ++b) to.sample(b) = sample_of(from, b, to.time(), to.features());
  }
  static void write(const Sequence<Scalar>& from, const Strided& to) {
    if (!to.values) return;
    for (Index b = 0; b < from.batch(); ++b) sample_of(to, b, from.time(), from.features()) = from.sample(b);
  }
  /// The (time, batch) values behind an address.
  static auto times_of(const Strided& from, Index time, Index batch) {
    return sample_of({from.values, from.time, 0, from.batch}, 0, time, batch);
  }
  static Timespans<Scalar> timespans_of(const Strided& from, Index time, Index batch) {
    return Timespans<Scalar>(times_of(from, time, batch));
  }
  static Mask mask_of(const unsigned char* from, Index time, Index batch) {
    return Mask(Eigen::Map<const Eigen::Array<unsigned char, Dynamic, Dynamic, Eigen::RowMajor>>(from, time, batch));
  }
  /// Reads h, or writes it, and c beside it.
  void read_state(const void* h, const void* c, StateType& to) const {
    using Values = Eigen::Map<const RowMajor>;
    const Index units = this->units();
    to.set_zero();
    if (h) to.array().leftCols(units) = Values(static_cast<const Scalar*>(h), to.batch(), units);
    if (c) to.array().rightCols(units) = Values(static_cast<const Scalar*>(c), to.batch(), units);
  }
  void write_state(const StateType& from, void* h, void* c) const {
    using Values = Eigen::Map<RowMajor>;
    const Index units = this->units();
    if (h) Values(static_cast<Scalar*>(h), from.batch(), units) = from.array().leftCols(units);
    if (c) Values(static_cast<Scalar*>(c), from.batch(), units) = from.array().rightCols(units);
  }

  void run(Room& room, const Forward& in) {
    room.x.resize(in.time, in.batch, model_.input_dim());
    read(in.x, room.x);
    room.context = {};
    if (in.timespans.values) room.context.timespans = timespans_of(in.timespans, in.time, in.batch);
    if (in.mask) room.context.mask = mask_of(in.mask, in.time, in.batch);
    if (in.h || in.c) {
      room.context.initial_state = model_.initial_state(in.batch);
      read_state(in.h, in.c, *room.context.initial_state);
    }
    if (in.has_tape) {
      room.epoch = in.epoch;
      write(forward_again(room), in.y);
    } else {
      write(room.session(room.x, room.context), in.y);
    }
    write_state(room.session.final_state(), in.final_h, in.final_c);
  }
  const Sequence<Scalar>& forward_again(Room& room) {
    room.changes = changes_;
    room.session.begin_pass(room.epoch, 0);
    return room.session.forward(room.x, room.context);
  }

  void go_back(Room& room, const Backward& results) {
    // Another pass may have run the network with other parameters in between.
    if (room.changes != changes_) (void)forward_again(room);
    const Index batch = room.x.batch();
    room.d_y.resize(model_.return_sequences() ? room.x.time() : 1, batch, model_.output_dim());
    if (results.d_y.values) {
      read(results.d_y, room.d_y);
    } else {
      room.d_y.values().setZero();
    }
    room.d_final = model_.initial_state(batch);
    read_state(results.d_final_h, results.d_final_c, room.d_final);
    SessionOf<Model>& session = room.session;
    session.backward(room.d_y, &room.d_final);
    write(session.input_gradient(), results.d_x);
    write_state(session.initial_state_gradient(), results.d_h, results.d_c);
    if (const Strided& to = results.d_timespans; to.values) {
      const ConstArrayView<Scalar> d_timespans = session.timespans_gradient();  // empty where times do not count
      if (d_timespans.size() > 0) {
        times_of(to, room.x.time(), batch) = d_timespans;
      } else {
        times_of(to, room.x.time(), batch).setZero();
      }
    }
    if (!results.gradients.empty()) write_rows(session.gradient().data(), results.gradients);
  }

  // --- training ------------------------------------------------------------------------------------------------------

  [[nodiscard]] Dataset<Scalar> dataset_of(const TrainingData& from) const {
    Dataset<Scalar> data{.x = Sequence<Scalar>(from.time, from.samples, model_.input_dim()),
                         .y = Sequence<Scalar>(from.y_time, from.samples, from.targets)};
    read(from.x, data.x);
    read(from.y, data.y);
    if (from.timespans.values) data.timespans = timespans_of(from.timespans, from.time, from.samples);
    if (from.mask) data.mask = mask_of(from.mask, from.time, from.samples);
    for (const double weight : from.weights) data.weights.push_back(static_cast<Scalar>(weight));
    return data;
  }

  template <typename Publish>
  History<Scalar> fit_model(Model& model, const Training& training, const Publish& publish) const {
    FitOptions<Scalar> options{.epochs = training.epochs,
                               .batch_size = training.batch_size,
                               .shuffle = training.shuffle,
                               .seed = training.seed,
                               .validation_split = training.validation_split,
                               .patience = training.patience,
                               .min_delta = training.min_delta,
                               .restore_best_weights = training.restore_best_weights,
                               .monitor = training.monitor,
                               .schedule = training.schedule,
                               .freeze = training.freeze,
                               .loss_over = training.last_step ? LossOver::last_step : LossOver::every_step,
                               .bptt_steps = training.bptt_steps,
                               .stateful = training.stateful,
                               .show_progress = training.show_progress};
    if (training.clip_norm != 0) options.clip.global_norm = training.clip_norm;
    if (training.clip_value != 0) options.clip.value = training.clip_value;
    if (training.validation) options.validation = dataset_of(*training.validation);
    const auto optimizer = std::visit([](const auto& given) { return optimizer_of(given); }, training.optimizer);
    return elegans::fit(
        model, dataset_of(training.data), optimizer, options, loss(training.loss), AnyMetrics<Scalar>(training.metrics),
        on_batch_end([&](auto&, const auto&) { training.on_batch(); }),
        on_epoch_end([&](auto&, const Epoch<Scalar>& epoch) {
          if (!training.on_epoch) return true;
          publish();
          std::vector<MetricHistory<double>> last;
          for (const MetricHistory<Scalar>& metric : epoch.metrics) {
            last.push_back({metric.name, in_double(metric.training, 1), in_double(metric.validation, 1)});
          }
          Epoch<double> about = in_double(epoch);
          about.metrics = last;
          return training.on_epoch(about);
        }));
  }

  static AnyOptimizer<Scalar> optimizer_of(const AdamOptions& options) { return Adam<Scalar>(options); }
  static AnyOptimizer<Scalar> optimizer_of(const AdamWOptions& options) { return AdamW<Scalar>(options); }
  static AnyOptimizer<Scalar> optimizer_of(const RMSpropOptions& options) { return RMSprop<Scalar>(options); }
  static AnyOptimizer<Scalar> optimizer_of(const SGDOptions& options) { return SGD<Scalar>(options); }

  /// The last of some values, at most so many.
  static std::vector<double> in_double(const std::vector<Scalar>& values, std::size_t most = SIZE_MAX) {
    return {values.end() - static_cast<std::ptrdiff_t>((std::min)(most, values.size())), values.end()};
  }
  static Epoch<double> in_double(const Epoch<Scalar>& epoch) {
    Epoch<double> result{.number = epoch.number, .of = epoch.of, .loss = epoch.loss, .is_best = epoch.is_best};
    if (epoch.validation_loss) result.validation_loss = *epoch.validation_loss;
    if (epoch.learning_rate) result.learning_rate = *epoch.learning_rate;
    return result;
  }
  static History<double> in_double(const History<Scalar>& history) {
    History<double> result{.loss = in_double(history.loss),
                           .validation_loss = in_double(history.validation_loss),
                           .learning_rate = in_double(history.learning_rate),
                           .best_epoch = history.best_epoch,
                           .stopped_by = history.stopped_by};
    for (const MetricHistory<Scalar>& metric : history.metrics) {
      result.metrics.push_back({metric.name, in_double(metric.training), in_double(metric.validation)});
    }
    return result;
  }

  // --- rooms ---------------------------------------------------------------------------------------------------------

  std::unique_ptr<Room> take_room() {
    {
      const std::lock_guard lock(rooms_mutex_);
      if (!rooms_.empty()) {
        std::unique_ptr<Room> room = std::move(rooms_.back());
        rooms_.pop_back();
        return room;
      }
    }
    const std::shared_lock lock(mutex_);  // a room for a stack copies it
    return std::make_unique<Room>(model_);
  }
  void give_back(std::unique_ptr<Room> room) noexcept {
    const std::lock_guard lock(rooms_mutex_);
    if (rooms_.size() < rooms_.capacity()) rooms_.push_back(std::move(room));
  }

  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  static constexpr std::size_t most_rooms = 4;  // that wait for a pass

  static std::vector<std::unique_ptr<Room>> no_rooms() {
    std::vector<std::unique_ptr<Room>> rooms;
    rooms.reserve(most_rooms);
    return rooms;
  }

  Model model_;
  std::uint64_t changes_ = 0;
  mutable std::shared_mutex mutex_;  // of the parameters
  std::vector<std::unique_ptr<Room>> rooms_ = no_rooms();
  std::mutex rooms_mutex_;
};

template <typename Model, typename... Arguments>
std::shared_ptr<Network> make_network(const Arguments&... arguments) {
  return std::make_shared<NetworkOf<Model>>(Model(arguments...));
}

}  // namespace elegans::python
