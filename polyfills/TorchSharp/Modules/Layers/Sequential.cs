using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Modules one after another. What passes between them is disposed.</summary>
public class Sequential : nn.Module<Tensor, Tensor>
{
    private readonly List<(string name, nn.IModule<Tensor, Tensor> module)> members = [];

    protected Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules) : base(nameof(Sequential))
    {
        foreach (var (name, module) in modules) append(name, module);
    }

    protected Sequential(params nn.Module<Tensor, Tensor>[] modules) : base(nameof(Sequential))
    {
        foreach (var module in modules) append(module);
    }

    public int Count => members.Count;

    [IndexerName("SequentialItems")]
    public nn.IModule<Tensor, Tensor> this[int index] => members[index].module;

    [IndexerName("SequentialItems")]
    public Sequential this[Range index] => Part(index.Start.GetOffset(Count), index.End.GetOffset(Count));

    [IndexerName("SequentialItems")]
    public Sequential this[(int? start, int? end) index] => Part(index.start ?? 0, index.end ?? Count);

    public Sequential append(nn.IModule<Tensor, Tensor> module) => append(Count.ToString(), module);

    public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
    {
        members.Add((name, module));
        return this;
    }

    public override Tensor forward(Tensor tensor)
    {
        if (Count == 0) return tensor.alias();
        var result = this[0].call(tensor);
        for (int i = 1; i < Count; i++)
        {
            var passed = result;
            result = this[i].call(passed);
            passed.Dispose();
        }
        return result;
    }

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
    {
        var seen = new HashSet<IntPtr> { 0 };
        if (!recurse) yield break;
        foreach (var (prefix, child) in named_children())
            foreach (var (name, parameter) in child.named_parameters(true))
                if (seen.Add(parameter.handle)) yield return ($"{prefix}.{name}", parameter);
    }

    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_persistent = true)
    {
        var seen = new HashSet<IntPtr> { 0 };
        if (!recurse) yield break;
        foreach (var (prefix, child) in named_children())
            foreach (var (name, buffer) in child.named_buffers(true, include_persistent))
                if (seen.Add(buffer.handle)) yield return ($"{prefix}.{name}", buffer);
    }

    public override IEnumerable<(string name, nn.Module module)> named_children() => members.Select(member => (member.name, (nn.Module)member.module));

    public override IEnumerable<(string name, nn.Module module)> named_modules() =>
        named_children().Concat(named_children().SelectMany(child => child.module.named_modules().Select(inner => ($"{child.name}.{inner.name}", inner.module))));

    public override nn.Module apply(Action<nn.Module> fn)
    {
        foreach (var (_, module) in named_children()) module.apply(fn);
        fn(this);
        return this;
    }

    public override void train(bool on = true) => base.train(on);

    public override void eval() => base.eval();

    protected internal override nn.Module _to(ScalarType dtype, bool non_blocking) => Each(module => module._to(dtype, non_blocking));

    protected internal override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Each(module => module._to(device, dtype, non_blocking));

    protected internal override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Each(module => module._to(deviceType, deviceIndex, non_blocking));

    protected override void Dispose(bool disposing)
    {
        if (disposing) Each(module => module.Dispose());
        base.Dispose(disposing);
    }

    internal static Sequential Of(IEnumerable<(string name, nn.Module<Tensor, Tensor> module)> modules) => new(modules.ToArray());

    private Sequential Each(Action<nn.Module> action)
    {
        foreach (var (_, module) in named_children()) action(module);
        return this;
    }

    private Sequential Part(int start, int end)
    {
        if (start < 0 || start > Count) throw new IndexOutOfRangeException($"{start} is not a valid index.");
        if (end < 0 || end > Count) throw new IndexOutOfRangeException($"{end} is not a valid index.");
        var part = Of([]);
        for (int i = start; i < end; i++) part.append(members[i].name, members[i].module);
        return part;
    }
}
