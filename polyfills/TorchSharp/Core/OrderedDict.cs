#nullable disable // as the real library's dictionary is
using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace TorchSharp.Utils;

/// <summary>A dictionary that keeps its entries in the order in which they were added.</summary>
public class OrderedDict<TKey, TValue> : IDictionary<TKey, TValue>, IList<(TKey, TValue)>
{
    private readonly List<(TKey, TValue)> list = [];
    private readonly Dictionary<TKey, TValue> dictionary = [];

    public int Count => list.Count;

    public bool IsReadOnly => false;

    public ICollection<TKey> Keys => list.ConvertAll(entry => entry.Item1);

    public ICollection<TValue> Values => list.ConvertAll(entry => entry.Item2);

    public TValue this[TKey key]
    {
        get => dictionary[key];
        set
        {
            int index = list.FindIndex(entry => entry.Item1.Equals(key));
            if (index >= 0) list[index] = (key, value);
            else list.Add((key, value));
            dictionary[key] = value;
        }
    }

    public (TKey, TValue) this[int index]
    {
        get => list[index];
        set
        {
            list[index] = value;
            dictionary[value.Item1] = value.Item2;
        }
    }

    public void Add(TKey key, TValue value)
    {
        dictionary.Add(key, value);
        list.Add((key, value));
    }

    public void Add((TKey, TValue) item) => Add(item.Item1, item.Item2);

    public void Add(KeyValuePair<TKey, TValue> item) => Add(item.Key, item.Value);

    public void Insert(int index, (TKey, TValue) item)
    {
        dictionary.Add(item.Item1, item.Item2);
        list.Insert(index, item);
    }

    public bool Remove(TKey key)
    {
        if (!dictionary.Remove(key)) throw new KeyNotFoundException($"The given key '{key}' was not present in the dictionary.");
        list.RemoveAt(list.FindIndex(entry => entry.Item1.Equals(key)));
        return true;
    }

    public bool Remove((TKey, TValue) item) => dictionary.Remove(item.Item1) & list.Remove(item);

    public bool Remove(KeyValuePair<TKey, TValue> item) => Remove(item.Key);

    public void RemoveAt(int index)
    {
        if (index >= list.Count) throw new IndexOutOfRangeException();
        Remove(list[index].Item1);
    }

    public void Clear()
    {
        dictionary.Clear();
        list.Clear();
    }

    public void clear() => Clear();

    public IEnumerator<(TKey, TValue)> items() => GetEnumerator();

    public IEnumerable<TKey> keys() => Keys;

    public IEnumerable<TValue> values() => Values;

    public bool ContainsKey(TKey key) => dictionary.ContainsKey(key);

    public bool Contains((TKey, TValue) item) => list.Contains(item);

    public bool Contains(KeyValuePair<TKey, TValue> item) => ContainsKey(item.Key);

    public int IndexOf((TKey, TValue) item) => list.IndexOf(item);

    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value) => dictionary.TryGetValue(key, out value);

    public void CopyTo((TKey, TValue)[] array, int arrayIndex) => list.CopyTo(array, arrayIndex);

    public void CopyTo(KeyValuePair<TKey, TValue>[] array, int arrayIndex) => throw new NotImplementedException();

    public IEnumerator<(TKey, TValue)> GetEnumerator() => list.GetEnumerator();

    IEnumerator<KeyValuePair<TKey, TValue>> IEnumerable<KeyValuePair<TKey, TValue>>.GetEnumerator() => throw new NotImplementedException();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
