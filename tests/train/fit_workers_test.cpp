// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <memory>

#include <elegans/model/ltc.hpp>
#include <elegans/system/thread_pool.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("Training by several workers is training by one, to the bit", "[train][fit][executor]") {
  Sequence<float> x(6, 50, 2);
  x.values().setLinSpaced(-1.0f, 1.0f);
  Sequence<float> y(6, 50, 1);
  y.values() = x.values().head(6 * 50).square();
  const auto trained = [&](const std::shared_ptr<Executor>& executor) {
    LTC<float> model(AutoNCP(8, 1), 2);
    model.set_executor(executor);
    // Batches of 20, 20 and the rest; a validation in between.
    const auto history = fit(model, x, y, Adam<float>({.learning_rate = 0.02f}),
                             {.epochs = 3, .batch_size = 20, .seed = 3, .validation_split = 0.1});
    CHECK(history.loss.back() < history.loss.front());
    return Eigen::ArrayXf(model.parameters());
  };
  const Eigen::ArrayXf alone = trained(nullptr);
  CHECK((alone == trained(std::make_shared<ThreadPool>(2))).all());
  CHECK((alone == trained(std::make_shared<ThreadPool>(4))).all());
}
