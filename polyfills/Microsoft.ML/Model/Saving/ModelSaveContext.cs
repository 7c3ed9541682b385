using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Where a component writes itself: a directory of the model file.</summary>
public sealed class ModelSaveContext : IDisposable
{
    internal readonly RepositoryWriter Repository;
    internal readonly string Directory;
    internal readonly BinaryWriter Writer;

    private readonly MemoryStream _body = new();
    private readonly IExceptionContext _ectx;
    private string _loaderSignature;

    internal ModelSaveContext(RepositoryWriter rep, string dir)
    {
        Repository = rep;
        Directory = dir ?? "";
        _ectx = rep.ExceptionContext;
        Writer = new BinaryWriter(_body, Encoding.UTF8);
    }

    public void Dispose() => Writer.Dispose();

    /// <summary>Saves a component under a directory; null saves nothing.</summary>
    internal static void SaveModel(RepositoryWriter rep, ICanSaveModel value, string dir)
    {
        if (value == null)
            return;
        using var ctx = new ModelSaveContext(rep, dir);
        value.Save(ctx);
        ctx.Done();
    }

    /// <summary>Throws if something has been written before the signature: a context belongs to one component.</summary>
    internal void CheckAtModel() => _ectx.Check(_body.Position == 0 && _loaderSignature == null);

    /// <summary>Says which loader reads this back.</summary>
    internal void SetVersionInfo(string loaderSignature) => _loaderSignature = loaderSignature;

    internal void SaveModel(ICanSaveModel value, string name) => SaveModel(Repository, value, ModelPath.Combine(Directory, name));

    internal void SaveString(string value)
    {
        _ectx.CheckValue(value, nameof(value));
        Writer.Write(value);
    }

    internal void SaveStringOrNull(string value)
    {
        Writer.Write(value != null);
        if (value != null)
            Writer.Write(value);
    }

    internal void SaveBinaryStream(string name, Action<BinaryWriter> action)
    {
        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content, Encoding.UTF8);
        action(writer);
        writer.Flush();
        Repository.Write(ModelPath.Combine(Directory, name), content);
    }

    internal void Done()
    {
        _ectx.Check(_loaderSignature != null, "ModelSignature not specified!");
        Writer.Flush();
        using var entry = new MemoryStream();
        using var writer = new BinaryWriter(entry, Encoding.UTF8);
        writer.Write(_loaderSignature);
        writer.Flush();
        _body.Position = 0;
        _body.CopyTo(entry);
        Repository.Write(ModelPath.Combine(Directory, ModelPath.ModelEntry), entry);
    }
}
