using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>What a module knows of its parts.</summary>
[TestClass]
public class ModuleTests
{
    [TestMethod]
    public void Fields_give_their_names_to_parameters_buffers_and_modules()
    {
        using var network = new Network();
        CollectionAssert.AreEqual(
            new[] { "scale", "first.weight", "first.bias", "rest.0.weight", "rest.0.bias", "rest.1.weight", "rest.1.bias", "norm.weight", "norm.bias", "head.in.weight", "head.in.bias" },
            network.named_parameters().Select(named => named.name).ToArray());
        CollectionAssert.AreEqual(new[] { "offset" }, network.named_buffers().Select(named => named.name).ToArray());
        CollectionAssert.AreEqual(new[] { "first", "rest", "norm", "head" }, network.named_children().Select(named => named.name).ToArray());
        Assert.IsFalse(network.named_buffers().Single().buffer.requires_grad);
        CollectionAssert.Contains(network.named_modules().Select(named => named.name).ToArray(), "head.in");
    }

    [TestMethod]
    public void The_state_has_parameters_first_and_buffers_after()
    {
        using var network = new Network();
        var names = network.state_dict().Keys.ToArray();
        Assert.AreEqual("scale", names[0]);
        Assert.AreEqual("offset", names[^1]);
        Assert.HasCount(12, names);
    }

    [TestMethod]
    public void The_state_of_one_network_loads_into_another()
    {
        using var scope = NewDisposeScope();
        using Network one = new(), other = new();
        var x = randn(2, 3);
        Assert.IsFalse(one.call(x).allclose(other.call(x)));
        var (missing, unexpected) = other.load_state_dict(one.state_dict());
        Assert.IsEmpty(missing);
        Assert.IsEmpty(unexpected);
        Assert.IsTrue(one.call(x).allclose(other.call(x)));
    }

    [TestMethod]
    public void A_state_that_does_not_match_is_refused_unless_told_otherwise()
    {
        using var network = new Network();
        using var extra = zeros(1);
        var state = network.state_dict();
        state.Remove("scale");
        state.Add("extra", extra);
        Assert.ThrowsExactly<InvalidOperationException>(() => network.load_state_dict(state));
        var (missing, unexpected) = network.load_state_dict(state, strict: false);
        CollectionAssert.AreEqual(new[] { "scale" }, missing.ToArray());
        CollectionAssert.AreEqual(new[] { "extra" }, unexpected.ToArray());
    }

    [TestMethod]
    public void A_saved_network_loads_into_another()
    {
        using var scope = NewDisposeScope();
        using Network one = new(), other = new();
        using var saved = new MemoryStream();
        one.save(saved);
        other.load(new MemoryStream(saved.ToArray()));
        var x = randn(2, 3);
        Assert.IsTrue(one.call(x).allclose(other.call(x)));
    }

    [TestMethod]
    public void Training_and_evaluation_reach_every_part()
    {
        using var network = new Network();
        Assert.IsTrue(network.training);
        network.eval();
        Assert.IsFalse(network.training);
        Assert.IsTrue(network.modules().All(module => !module.training));
        network.train();
        Assert.IsTrue(network.rest[1].training);
    }

    [TestMethod]
    public void Moving_to_a_type_makes_new_parameters_and_updates_the_fields()
    {
        using var scope = NewDisposeScope();
        using var network = new Network();
        var before = network.scale;
        Assert.AreSame(network, network.to(ScalarType.BFloat16));
        Assert.IsTrue(before.IsInvalid);
        Assert.AreEqual(ScalarType.BFloat16, network.scale.dtype);
        Assert.IsTrue(network.scale.requires_grad);
        Assert.IsTrue(network.state_dict().Values.All(tensor => tensor.dtype == ScalarType.BFloat16));
        Assert.AreEqual(ScalarType.BFloat16, network.call(randn(2, 3).bfloat16()).dtype);
    }

    [TestMethod]
    public void Gradients_are_cleared_to_none()
    {
        using var scope = NewDisposeScope();
        using var network = new Network();
        network.call(randn(2, 3)).sum().backward();
        Assert.IsNotNull(network.scale.grad);
        network.zero_grad();
        Assert.IsTrue(network.parameters().All(parameter => parameter.grad is null));
    }

    [TestMethod]
    public void Apply_visits_children_before_the_module_itself()
    {
        using var network = new Network();
        var visited = new List<nn.Module>();
        network.apply(visited.Add);
        Assert.AreSame(network, visited[^1]);
        Assert.AreSame(network.first, visited[0]);
    }

    [TestMethod]
    public void A_parameter_takes_the_tensor_over_and_shares_the_memory_of_a_view()
    {
        using var scope = NewDisposeScope();
        var buffer = zeros(6);
        var view = buffer.narrow(0, 2, 4).view(2, 2);
        var parameter = new Parameter(view);
        Assert.IsTrue(view.IsInvalid);
        Assert.IsTrue(parameter.requires_grad);
        Assert.IsTrue(parameter.is_leaf);
        using (no_grad()) parameter.fill_(3);
        Values.AreClose([0, 0, 3, 3, 3, 3], buffer);
        Assert.IsFalse(new Parameter(zeros(2), requires_grad: false).requires_grad);
    }

    [TestMethod]
    public void Parts_of_a_module_made_in_a_scope_outlive_it_but_a_parameter_field_does_not()
    {
        Network network;
        using (NewDisposeScope()) network = new Network();
        Assert.IsFalse(network.first.weight.IsInvalid);
        Assert.IsTrue(network.scale.IsInvalid);
        network.Dispose();
    }

    [TestMethod]
    public void Disposing_a_module_frees_its_parameters()
    {
        var network = new Network();
        var weight = network.first.weight;
        network.Dispose();
        Assert.IsTrue(weight.IsInvalid);
        Assert.IsTrue(network.scale.IsInvalid);
    }

    private sealed class Network : nn.Module<Tensor, Tensor>
    {
        public readonly Linear first = nn.Linear(3, 4);
        public readonly ModuleList<Linear> rest;
        public readonly Parameter scale = nn.Parameter(ones(1));
        public readonly Tensor offset = zeros(1);
        public readonly LayerNorm norm = nn.LayerNorm(4);
        public readonly Sequential head = nn.Sequential(("in", nn.Linear(4, 2)), ("act", nn.GELU()));

        public Network() : base(nameof(Network))
        {
            rest = nn.ModuleList(nn.Linear(4, 4), nn.Linear(4, 4));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = first.call(input);
            foreach (var layer in rest) x = x + layer.call(x);
            return head.call(norm.call(x * scale + offset)).MoveToOuterDisposeScope();
        }
    }
}
