using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Where a component reads itself from.</summary>
internal sealed class ModelLoadContext : IDisposable
{
    private ModelLoadContext(RepositoryReader rep, string dir, Stream entry)
    {
        Repository = rep;
        Directory = dir ?? "";
        Reader = new BinaryReader(entry, Encoding.UTF8);
        LoaderSignature = Reader.ReadString();
    }

    public RepositoryReader Repository { get; }

    public string Directory { get; }

    public BinaryReader Reader { get; }

    public string LoaderSignature { get; }

    /// <summary>Loads the component of a directory, null if there is none.</summary>
    public static T LoadModelOrNull<T>(IHostEnvironment env, RepositoryReader rep, string dir)
        where T : class
    {
        Stream entry = rep.OpenEntryOrNull(ModelPath.Combine(dir, ModelPath.ModelEntry));
        if (entry == null)
            return null;
        using var ctx = new ModelLoadContext(rep, dir, entry);
        return ModelLoaders.Load(env, ctx) as T ?? throw env.ExceptDecode($"Couldn't load model: '{dir}'");
    }

    public static T LoadModel<T>(IHostEnvironment env, RepositoryReader rep, string dir)
        where T : class => LoadModelOrNull<T>(env, rep, dir) ?? throw env.ExceptDecode("Corrupt model file");

    public T LoadModel<T>(IHostEnvironment env, string name)
        where T : class => LoadModel<T>(env, Repository, ModelPath.Combine(Directory, name));

    public T LoadModelOrNull<T>(IHostEnvironment env, string name)
        where T : class => LoadModelOrNull<T>(env, Repository, ModelPath.Combine(Directory, name));

    public string LoadString() => Reader.ReadString();

    public string LoadStringOrNull() => Reader.ReadBoolean() ? Reader.ReadString() : null;

    /// <summary>Reads a stream of its own beside the component; false if there is none.</summary>
    public bool TryLoadBinaryStream(string name, Action<BinaryReader> action)
    {
        using Stream entry = Repository.OpenEntryOrNull(ModelPath.Combine(Directory, name));
        if (entry == null)
            return false;
        using var reader = new BinaryReader(entry, Encoding.UTF8);
        action(reader);
        return true;
    }

    public void Dispose() => Reader.Dispose();
}
