// error: elegans::fit: the model lacks a member that training needs: see elegans::TrainableModel
#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

/// All that training needs but final_state().
struct Model {
  using Scalar = float;
  static constexpr int state_size_at_compile_time = 0;

  const elegans::Sequence<float>& forward(const elegans::Sequence<float>& x, const elegans::Context<float, 0>&);
  elegans::Sequence<float> operator()(const elegans::Sequence<float>& x, const elegans::Context<float, 0>&);
  void backward(const elegans::Sequence<float>& d_output);
  elegans::ConstVectorView<float> parameters() const;
  elegans::ConstVectorView<float> gradient() const;
  template <typename Change>
  void update(Change change);
};

void train(Model& model, const elegans::Dataset<float>& data) { elegans::fit(model, data, elegans::Adam<float>()); }
