namespace Microsoft.ML.Runtime;

internal abstract partial class HostEnvironmentBase<TEnv>
{
    private readonly Dictionary<string, object> _options = [];

    public bool TryAddOption<T>(string name, T value)
    {
        CheckOptionName(name);
        return _options.TryAdd(name, value);
    }

    public void SetOption<T>(string name, T value)
    {
        CheckOptionName(name);
        _options[name] = value;
    }

    public bool TryGetOption<T>(string name, out T value)
    {
        CheckOptionName(name);
        bool found = _options.TryGetValue(name, out object known) && known is T;
        value = found ? (T)known : default;
        return found;
    }

    public T GetOptionOrDefault<T>(string name)
    {
        CheckOptionName(name);
        if (_options.TryGetValue(name, out object known))
            return (T)known;
        _options[name] = default(T);
        return default;
    }

    public bool RemoveOption(string name)
    {
        CheckOptionName(name);
        return _options.Remove(name);
    }

    private static void CheckOptionName(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentNullException(nameof(name));
    }
}
