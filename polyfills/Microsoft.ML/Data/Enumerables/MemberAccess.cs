using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>Compiled access to the members of a class; each is compiled once.</summary>
internal static class MemberAccess
{
    public static Func<TRow, TValue> Reader<TRow, TValue>(MemberInfo member) =>
        Known<TRow, TValue>.Readers.GetOrAdd(member, CreateReader<TRow, TValue>);

    public static Action<TRow, TValue> Writer<TRow, TValue>(MemberInfo member) =>
        Known<TRow, TValue>.Writers.GetOrAdd(member, CreateWriter<TRow, TValue>);

    private static Func<TRow, TValue> CreateReader<TRow, TValue>(MemberInfo member)
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, TValue>>(Expression.MakeMemberAccess(row, member), row).Compile();
    }

    private static Action<TRow, TValue> CreateWriter<TRow, TValue>(MemberInfo member)
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        ParameterExpression value = Expression.Parameter(typeof(TValue));
        return Expression.Lambda<Action<TRow, TValue>>(Expression.Assign(Expression.MakeMemberAccess(row, member), value), row, value).Compile();
    }

    private static class Known<TRow, TValue>
    {
        public static readonly ConcurrentDictionary<MemberInfo, Func<TRow, TValue>> Readers = new();
        public static readonly ConcurrentDictionary<MemberInfo, Action<TRow, TValue>> Writers = new();
    }
}
